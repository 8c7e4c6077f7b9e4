#!/usr/bin/env python3
"""Takes the webhooks of a Rectify server and hands them on to people: by WeCom (企业微信), DingTalk (钉钉) or a gateway for
SMS (短信). An example to begin with: Python 3.9 and its standard library, nothing else.

    RELAY_SECRET=whsec_… RELAY_PEOPLE=people.json python3 relay.py      # listens on 127.0.0.1:9000

people.json says how accounts are reached, by the ids that `rectify account list --json` prints:

    {"<account id>": {"phone": "138…", "wecom": "zhang.san"}, "nobody": {"phone": "139…"}}

RELAY_WECOM, RELAY_DINGTALK: the address of a group's robot. RELAY_SMS: a gateway that takes {"phone", "text"} as JSON.
Answer only when the message is handed on: any other answer, or none, and the server tries again.
"""
import base64
import datetime
import hashlib
import hmac
import http.server
import json
import os
import sqlite3
import time
import urllib.request

SECRET = base64.b64decode(os.environ["RELAY_SECRET"].removeprefix("whsec_"))
with open(os.environ["RELAY_PEOPLE"], encoding="utf-8") as file:
    PEOPLE = json.load(file)
# What was handed on, by webhook-id: what comes twice is told once. Keep it for longer than a backup may be old.
SEEN = sqlite3.connect(os.environ.get("RELAY_SEEN", "relay.db"))
SEEN.execute("CREATE TABLE IF NOT EXISTS seen (id TEXT PRIMARY KEY, at INTEGER)")
WORDS = {
    "case.assign": "新案件已派遣",
    "case.return_assignment": "责任单位已退单",
    "case.issue_deadline": "期限已确定",
    "case.mark_due_soon": "即将到期",
    "case.mark_overdue": "已超期",
    "case.escalate": "超期升级",
    "case.urge": "催办",
    "case.supervise": "督办",
    "case.request_extension": "申请延期",
    "case.decide_extension": "延期已审批",
}


def is_genuine(headers, body):
    """The signature is over id, time and body; what is older than five minutes is not believed."""
    name, at = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not at.isdigit() or abs(time.time() - int(at)) > 300:
        return False
    signed = f"{name}.{at}.".encode() + body
    expected = base64.b64encode(hmac.new(SECRET, signed, hashlib.sha256).digest()).decode()
    given = (one.partition(",") for one in headers.get("webhook-signature", "").split(" "))
    return any(version == "v1" and hmac.compare_digest(value, expected) for version, _, value in given)


def text_of(notice):
    data = notice["data"]
    words = [WORDS.get(notice["type"], notice["type"]), data.get("number") or data["short_code"]]
    if "due_ms" in data:
        due = datetime.datetime.fromtimestamp(data["due_ms"] / 1000)
        words.append(f"截止 {due:%Y-%m-%d %H:%M}")
    return "，".join(words)


def post(url, value):
    request = urllib.request.Request(url, json.dumps(value).encode(), {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=5) as answer:
        # WeCom and DingTalk answer 200 to what they do not take, too.
        code = json.loads(answer.read() or b"{}").get("errcode", 0)
        if code != 0:
            raise OSError(f"errcode {code}")


def hand_on(notice):
    text = text_of(notice)
    ids = [hearer["account"] for hearer in notice["data"]["to"]["accounts"]] or ["nobody"]
    people = [PEOPLE[one] for one in ids if one in PEOPLE]
    phones = [person["phone"] for person in people if "phone" in person]
    if url := os.environ.get("RELAY_WECOM"):
        names = [person["wecom"] for person in people if "wecom" in person]
        post(url, {"msgtype": "text", "text": {"content": text, "mentioned_list": names}})
    if url := os.environ.get("RELAY_DINGTALK"):
        post(url, {"msgtype": "text", "text": {"content": text}, "at": {"atMobiles": phones}})
    if url := os.environ.get("RELAY_SMS"):
        for phone in phones:
            post(url, {"phone": phone, "text": text})
    print(text, phones, flush=True)


class Relay(http.server.BaseHTTPRequestHandler):
    timeout = 10

    def do_POST(self):
        size = self.headers.get("content-length", "")
        body = self.rfile.read(int(size)) if size.isdigit() and int(size) <= 65536 else b""
        self.send_response(self.take(body))
        self.send_header("content-length", "0")
        self.end_headers()

    def take(self, body):
        if not is_genuine(self.headers, body):
            return 401
        notice, name = json.loads(body), self.headers["webhook-id"]
        if not notice["type"].startswith("case.") or SEEN.execute("SELECT 1 FROM seen WHERE id = ?", (name,)).fetchone():
            return 204
        try:
            hand_on(notice)
        except OSError as error:
            print("not handed on:", error, flush=True)
            return 502
        with SEEN:
            SEEN.execute("INSERT INTO seen VALUES (?, ?)", (name, int(time.time())))
        return 204


if __name__ == "__main__":
    http.server.HTTPServer(("127.0.0.1", int(os.environ.get("RELAY_PORT", "9000"))), Relay).serve_forever()
