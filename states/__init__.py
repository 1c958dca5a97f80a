"""What may happen: the processes, their rules and forms. Pure – no database, no HTTP, no Celery, no clock."""
