"""What people do in Moodle and in this tool, as their browsers would: signing in, opening links, sending forms."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import httpx

from tests.pages.conftest import forms_of, text_of


class Person:
    """Somebody's browser. It keeps the cookies that are for https also over http, as browsers do on this machine."""

    def __init__(self, moodle, name, password):
        self.moodle = moodle
        self.client = httpx.Client(timeout=120, trust_env=False)
        self.page = self.get(f"{moodle}/login/index.php")
        form = next(one for one in forms_of(self.page.text) if "logintoken" in one["fields"])
        self.page = self._ask("POST", form["action"], data={**form["fields"], "username": name, "password": password})
        self.key = re.search(r'"sesskey":"([^"]+)"', self.page.text)[1]

    def close(self):
        """Closes the browser."""
        self.client.close()

    def get(self, address, **params):
        self.page = self._ask("GET", address, params=params or None)
        return self.page

    def submit(self, number=0, without=(), **more):
        """Sends a form of the page, where scripts would send it by themselves or a person presses its button.

        *without* names what is not pressed and not ticked.
        """
        forms = forms_of(self.page.text)
        assert forms, text_of(self.page)
        form = forms[number]
        address = httpx.URL(str(self.page.url)).join(form["action"] or str(self.page.url))
        fields = {name: value for name, value in form["fields"].items() if name not in without}
        self.page = self._ask("POST", address, data={**fields, **more})
        return self.page

    def come(self, address, **params):
        """Opens a link that leads here: Moodle's form, our login, Moodle's sign-in, our launch."""
        self.get(address, **params)
        self.submit()
        return self.submit()

    def _ask(self, method, address, **more):
        headers = {}
        if method == "POST" and getattr(self, "page", None) is not None:
            headers = {"origin": "{0.scheme}://{0.netloc}".format(urlsplit(str(self.page.url)))}
        answer = self.client.request(method, address, headers=headers, **more)
        while answer.is_redirect:
            for cookie in self.client.cookies.jar:
                cookie.secure = False
            place = httpx.URL(str(answer.url)).join(answer.headers["location"])
            if place.host not in {"localhost", "127.0.0.1"}:  # content elsewhere: where it is told to begin is enough
                break
            answer = self.client.get(place)
        for cookie in self.client.cookies.jar:
            cookie.secure = False
        return answer
