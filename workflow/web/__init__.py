"""The pages: they parse, call one verb of the engine, and render. No rule lives here."""
