#!/usr/bin/env python3
"""Works the reviewers' page in headless Chromium: list, reasons, verdicts by keyboard, languages.

    review_page.py URL [--token TOKEN]

URL is a running service whose store holds open cases. Speaks the browser's debugging protocol over
a pipe, so nothing but the browser is needed. Ends with 0 when everything was as expected.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time


class Browser:
    def __init__(self, folder):
        program = shutil.which("chromium") or shutil.which("chromium-browser")
        if program is None:
            sys.exit("error: chromium is not installed\nhint: apt-get install chromium")
        requests, self.to_browser = os.pipe()
        self.from_browser, answers = os.pipe()

        def plug():
            os.dup2(requests, 200)
            os.dup2(answers, 201)
            os.dup2(200, 3)
            os.dup2(201, 4)

        self.process = subprocess.Popen(
            [program, "--headless=new", "--no-sandbox", "--disable-gpu", "--lang=en",
             "--disable-dev-shm-usage", "--no-first-run", f"--user-data-dir={folder}",
             "--remote-debugging-pipe", "about:blank"],
            preexec_fn=plug, close_fds=False,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(requests)
        os.close(answers)
        self.number, self.buffer, self.session, self.faults = 0, b"", None, []
        targets = self.call("Target.getTargets")["targetInfos"]
        page = next(target for target in targets if target["type"] == "page")
        self.session = self.call(
            "Target.attachToTarget", targetId=page["targetId"], flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.call(domain + ".enable")

    def receive(self):
        while b"\0" not in self.buffer:
            part = os.read(self.from_browser, 1 << 16)
            if not part:
                sys.exit("error: the browser ended")
            self.buffer += part
        message, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(message)

    def call(self, method, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.to_browser, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.receive()
            if answer.get("method") == "Runtime.exceptionThrown":
                self.faults.append(answer["params"]["exceptionDetails"]["text"])
            if answer.get("method") == "Log.entryAdded":
                entry = answer["params"]["entry"]
                if entry["level"] == "error" and "401" not in entry["text"]:
                    self.faults.append(entry["text"])
            if answer.get("id") == self.number:
                if "error" in answer:
                    sys.exit(f"error: {method}: {answer['error']}")
                return answer["result"]

    def value(self, expression):
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        return result["result"].get("value")

    def wait(self, expression, what):
        deadline = time.monotonic() + 15
        while time.monotonic() < deadline:
            if self.value(expression):
                return
            time.sleep(0.05)
        sys.exit(f"error: {what}: {expression} did not become true; "
                 f"status: {self.value('document.getElementById(`status`).textContent')}")

    def press(self, key, code=None):
        text = {"text": key} if len(key) == 1 else {}
        codes = {"ArrowDown": 40, "ArrowUp": 38, "Tab": 9, "Enter": 13}
        virtual = codes.get(key) or ord(key.upper())
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=code or key,
                      windowsVirtualKeyCode=virtual, **(text if kind == "keyDown" else {}))

    def close(self):
        self.process.terminate()
        self.process.wait(10)


def check(condition, what):
    if not condition:
        sys.exit(f"error: {what}")
    print(f"ok: {what}")


def work(browser, options):
    rows = "document.getElementById('rows').children"
    browser.call("Page.navigate", url=options.url)
    browser.wait("document.readyState === 'complete'", "the page loads")
    if options.token:
        browser.wait("!document.getElementById('login').hidden", "the page asks for the token")
        browser.value(f"document.getElementById('token').value = {json.dumps(options.token)}")
        browser.value("document.querySelector('#login button').click()")
    browser.wait(f"{rows}.length > 1", "open cases are shown")
    count = browser.value(f"{rows}.length")
    check(browser.value("document.documentElement.lang") == "en", "it begins in the browser's language")
    check(browser.value("document.querySelector('#reasons').children.length") > 0,
          "the first case shows its reasons")

    browser.value("document.getElementById('reviewer').value = 'li'; "
                  "document.getElementById('reviewer').dispatchEvent(new Event('change'))")
    browser.value(f"{rows}[0].focus()")
    browser.press("ArrowDown")
    check(browser.value(f"document.activeElement === {rows}[1]"), "the down key moves the focus")
    check(browser.value(f"{rows}[1].getAttribute('aria-selected')") == "true",
          "the case under the focus is chosen")
    chosen = browser.value(f"{rows}[1].dataset.case")
    browser.press("2")
    browser.wait(f"{rows}.length === {count - 1}", "a verdict by key closes the case")
    check(not browser.value(f"[...{rows}].some(row => row.dataset.case === '{chosen}')"),
          "it closed the chosen case")

    browser.value("document.getElementById('kept').value = '12.5'")
    browser.value("document.querySelector('[data-verdict=confirmed_fraud]').click()")
    browser.wait(f"{rows}.length === {count - 2}", "a verdict by button closes the case")
    browser.value("document.getElementById('state').value = 'decided'; "
                  "document.getElementById('state').dispatchEvent(new Event('change'))")
    browser.wait(f"{rows}.length >= 2 && document.getElementById('state').value === 'decided' && "
                 f"[...{rows}].every(row => row.lastChild.textContent)", "decided cases are shown")
    figures = browser.value("document.getElementById('figures').textContent")
    check("Precision" in figures, "the effect has the precision")
    check(browser.value("document.querySelectorAll('#plot rect').length") == 4,
          "the effect has its plot")

    english = browser.value("document.getElementById('cases-title').textContent")
    browser.value("document.getElementById('language').click()")
    check(browser.value("document.documentElement.lang") == "zh", "the language switches")
    check(browser.value("document.getElementById('cases-title').textContent") == "案件" != english,
          "the texts are Chinese then")
    check(browser.value("[...document.querySelectorAll('[data-t]')].every(e => e.textContent)"),
          "no text is missing in Chinese")
    check(browser.value("[...document.querySelectorAll('button, input, select')].every("
                        "e => e.disabled || e.tabIndex >= 0)"),
          "every control can be reached by keyboard")
    check(browser.value("document.querySelectorAll('#models dd').length") >= 3,
          "the model's version, rule and policy are shown")
    check(not browser.faults, f"no fault in the browser's console {browser.faults}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("url")
    parser.add_argument("--token")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        browser = Browser(folder)
        try:
            work(browser, options)
        finally:
            browser.close()


if __name__ == "__main__":
    main()
