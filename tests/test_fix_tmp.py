import time, psycopg
def test_a(fresh_database):
    with psycopg.connect(fresh_database.app_url.replace("+psycopg","")) as c:
        print(c.execute("select count(*) from information_schema.tables where table_schema='public'").fetchone())
def test_b(fresh_database, chromium, libreoffice): print(fresh_database.name, chromium, libreoffice)
