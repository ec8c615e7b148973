"""The APIs: record types, handlers, error responses, schedules."""
