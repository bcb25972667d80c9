"""Gets an access token, and what the learners who agreed can do. Python's own library only.

Run it:  ADDRESS=https://… CLIENT_ID=… CLIENT_SECRET=… python pull.py
"""

import json
import os
from urllib.parse import urlencode
from urllib.request import Request, urlopen

ADDRESS = os.environ["ADDRESS"]


def ask(path, token=None, form=None):
    """The answer of the record store, as data."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    data = urlencode(form).encode() if form else None
    with urlopen(Request(ADDRESS + path, data, headers), timeout=30) as answer:
        return json.load(answer)


def changed(token, cursor=None):
    """All that changed after *cursor*. Keep the cursor of the last page: begin there the next time."""
    while True:
        page = ask("/api/profiles" + (f"?{urlencode({'cursor': cursor})}" if cursor else ""), token)
        yield from page["profiles"]
        if not page["more"]:
            return
        cursor = page["cursor"]


def main():
    """Prints what each learner holds; whoever withdrew must be forgotten."""
    client = {"client_id": os.environ["CLIENT_ID"], "client_secret": os.environ["CLIENT_SECRET"]}
    token = ask("/oauth/token", form={"grant_type": "client_credentials", **client})["access_token"]
    is_empty = True
    for one in changed(token):
        is_empty = False
        if one["deleted"]:
            print(one["subject"], "is to be forgotten")
            continue
        for held in one["profile"]["competencies"]:
            print(one["subject"], held["competency"]["label"], held["level"]["ordinal"], held["validUntil"] or "no end")
    if is_empty:
        print("nobody has agreed yet, or there is no record yet of those who did")


if __name__ == "__main__":
    main()
