"""HTTP: parse, call, render. What outsiders may rely on is `openapi.json`, made from the operations declared here."""
