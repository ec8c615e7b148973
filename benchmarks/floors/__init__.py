"""What is measured beside Soundstage: servers that do less of the same.

Each is started with a file of answers, as Soundstage has given them: a list of
``{case, method, target, template, operation, api, status, headers, body, document}``.
"""
