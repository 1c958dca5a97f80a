"""What happens by itself: shells of a few lines that Celery runs again and again; the work stands in `workflow`."""
