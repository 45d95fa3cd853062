"""How what Copaco sent is shown to a person."""

import json


def indent_json(text):
    """:return: a JSON text, a value a line; any other text as it is"""
    try:
        return json.dumps(json.loads(text or ""), indent=2, ensure_ascii=False)
    except ValueError:
        return text
