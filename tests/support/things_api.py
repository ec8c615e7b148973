"""A small contract, for services that a test makes up."""

import json

from support.upstream import respond, upstream_service

SPEC = """
openapi: 3.1.0
info: {title: Things, version: '1'}
components:
  securitySchemes:
    key: {type: apiKey, in: header, name: X-Key}
  schemas:
    Thing:
      type: object
      required: [id]
      properties: {id: {type: integer}, name: {type: string}}
paths:
  /things/{id}:
    get:
      operationId: getThing
      parameters:
        - {name: id, in: path, required: true, schema: {type: string}}
        - {name: size, in: query, schema: {type: integer, maximum: 9}}
      responses:
        '200':
          description: it
          headers: {X-Left: {schema: {type: integer}}}
          content: {application/json: {schema: {$ref: '#/components/schemas/Thing'}}}
        '404': {description: it is not there}
  /things:
    post:
      operationId: addThing
      security: [{key: []}]
      requestBody:
        required: true
        content: {application/json: {schema: {$ref: '#/components/schemas/Thing'}}}
      responses:
        '201': {description: added}
  /news:
    get:
      operationId: readNews
      responses:
        '200':
          description: what happens
          content:
            text/event-stream:
              schema:
                type: array
                items:
                  type: object
                  required: [data]
                  properties:
                    data: {$ref: '#/components/schemas/Thing'}
  /files:
    put:
      operationId: sendFile
      requestBody:
        content: {application/octet-stream: {schema: {type: object}}}
      responses:
        '200': {description: kept}
"""


def json_bytes(value):
    return json.dumps(value).encode()


def things_service(body, **options):
    return upstream_service(lambda handler: respond(handler, body, **options))


def sse_event(value):
    return b"data: " + json_bytes(value) + b"\n\n"
