"""A mail server for the tests: aiosmtpd on a free port of this machine.

It prints its port, and then every mail that it takes as a line of JSON, decoded by Python's own library. It ends when
its standard input does. Some recipients are not taken, by the part of their address before the @.
"""

import argparse
import asyncio
import email
import email.policy
import json
import logging
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult

REPLIES = {
    "nobody": "550 5.1.1 there is no such person",
    "greylisted": "451 4.7.1 come again later",
}


class Handler:
    async def handle_MAIL(self, server, session, envelope, address, options):
        if address.startswith("stranger@"):
            return "553 5.7.1 this address is not yours"
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):
        name = address.split("@")[0]
        if name == "slow":
            await asyncio.Event().wait()
        if name in REPLIES:
            return REPLIES[name]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        if envelope.rcpt_tos[0].startswith("spam@"):
            return "554 5.7.1 this looks like\r\nspam"
        mail = email.message_from_bytes(envelope.original_content, policy=email.policy.default)
        taken = {
            "hello": session.host_name,
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "headers": {name: str(value) for name, value in mail.items()},
            "text": mail.get_content().replace("\r\n", "\n"),
            "encrypted": session.ssl is not None or server.transport.get_extra_info("cipher") is not None,
            "user": session.auth_data,
        }
        print(json.dumps(taken), flush=True)
        return "250 OK"


def authenticator(expected):
    def check(server, session, envelope, mechanism, given):
        user, password = given.login.decode(), given.password.decode()
        good = f"{user}:{password}" == expected
        return AuthResult(success=good, handled=False, auth_data=user)

    return check


async def main():
    options = argparse.ArgumentParser()
    options.add_argument("--encryption", choices=["none", "starttls", "always"], default="none")
    options.add_argument("--certificate")
    options.add_argument("--key")
    options.add_argument("--user", help="NAME:PASSWORD; nobody else may send")
    options.add_argument("--login-only", action="store_true")
    options = options.parse_args()

    tls = None
    if options.encryption != "none":
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(options.certificate, options.key)
    starttls = options.encryption == "starttls"

    def session():
        return SMTP(
            Handler(),
            hostname="sink.example",
            tls_context=tls if starttls else None,
            require_starttls=starttls,
            authenticator=authenticator(options.user),
            auth_required=options.user is not None,
            auth_require_tls=starttls,
            auth_exclude_mechanism=["PLAIN"] if options.login_only else [],
        )

    loop = asyncio.get_running_loop()
    server = await loop.create_server(session, "127.0.0.1", 0, ssl=None if starttls else tls)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


logging.getLogger("mail.log").setLevel(logging.CRITICAL)
asyncio.run(main())
