"""E-mail with a plain part and an HTML part, the season of the worst site inline."""

from __future__ import annotations

import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import format_datetime
from html import escape
from typing import Final
from zoneinfo import ZoneInfo

from alerts.channel import EmailChannel
from alerts.notifiers.delivery import NotDeliveredError, Picture, secret
from alerts.notifiers.message import Item, Note, page, plain_text, told_of
from gruenpuls.domain.incident import IncidentState
from gruenpuls.language.speech import Speech

_COLOURS: Final = {"notice": "#7b8794", "warning": "#b36b00", "alarm": "#b3261e"}
_OVER: Final = "#2f6f4f"
_BODY: Final = "font:16px/1.5 sans-serif;color:#1f2933;max-width:44rem"


@dataclass(frozen=True, slots=True)
class EmailNotifier:
    """Hands messages to a mail server."""

    name: str
    channel: EmailChannel
    zone: ZoneInfo
    picture: Picture

    def send(self, note: Note, to: tuple[str, ...]) -> None:
        """Send a message to these addresses.

        Raises
        ------
        NotDeliveredError
            If the server does not take it for all of them.
        """
        chosen, where = self.channel, f"channel {self.name!r}, {self.channel.host}:{self.channel.port}"
        try:
            with self._connected() as server:
                if chosen.password_env is not None:
                    server.login(chosen.user, secret(chosen.password_env, self.name))
                refused = server.send_message(self.mail(note, to), chosen.sender, list(to))
        except smtplib.SMTPRecipientsRefused as error:
            raise NotDeliveredError(_refusal(error.recipients), where=where, channel_fails=False) from error
        except smtplib.SMTPDataError as error:
            what = f"the server refuses the message: {error.smtp_code}"
            raise NotDeliveredError(what, where=where, channel_fails=False) from error
        except smtplib.SMTPAuthenticationError:
            what = "the server refuses user or password"  # its own words may repeat them
            raise NotDeliveredError(what, where=where) from None
        except (OSError, smtplib.SMTPException) as error:
            what = f"the server cannot be reached or ends the talk: {error}"
            raise NotDeliveredError(what, where=where) from error
        if refused:
            raise NotDeliveredError(_refusal(refused), where=where, channel_fails=False)

    def _connected(self) -> smtplib.SMTP:
        chosen = self.channel
        if chosen.security == "none":
            return smtplib.SMTP(chosen.host, chosen.port, timeout=chosen.timeout)
        trusted = ssl.create_default_context(cafile=chosen.ca_file)
        if chosen.security == "tls":
            return smtplib.SMTP_SSL(chosen.host, chosen.port, timeout=chosen.timeout, context=trusted)
        server = smtplib.SMTP(chosen.host, chosen.port, timeout=chosen.timeout)
        try:
            server.starttls(context=trusted)
        except BaseException:
            server.close()
            raise
        return server

    def mail(self, note: Note, to: tuple[str, ...]) -> EmailMessage:
        """Return a message as e-mail."""
        words = Speech(note.language, self.zone)
        domain = self.channel.sender.rpartition("@")[2]
        mail = EmailMessage()
        mail["Subject"] = note.subject
        mail["From"] = self.channel.sender
        mail["To"] = ", ".join(to)
        mail["Date"] = format_datetime(note.made_at)
        # The same message sent twice is one to a mail program.
        mail["Message-ID"] = f"<{note.key}@{domain}>"
        mail["Auto-Submitted"] = "auto-generated"
        mail["X-Gruenpuls-Key"] = note.key
        mail.set_content(plain_text(note, words))
        shown = next((item for item in note.items if item.state is not IncidentState.RESOLVED), None)
        drawn = None if shown is None else self.picture(shown.site, note.language)
        cid = f"{note.key}.plot@{domain}"
        html_text = page(note, words) or _html(note, words, shown, cid if drawn else None)
        mail.add_alternative(html_text, subtype="html")
        if drawn is not None:
            html = mail.get_payload()[1]  # type: ignore[index]  # the part just added
            html.add_related(drawn, "image", "png", cid=f"<{cid}>", disposition="inline", filename="season.png")  # type: ignore[union-attr]  # the same
        return mail


def _refusal(recipients: dict[str, tuple[int, bytes]]) -> str:
    codes = ", ".join(sorted({str(code) for code, _ in recipients.values()}))
    return f"the server refuses {len(recipients)} of the addresses: {codes}"


def _html(note: Note, words: Speech, shown: Item | None, cid: str | None) -> str:
    parts = [f'<!doctype html><html lang="{note.language}"><body style="{_BODY}">']
    if note.test:
        parts.append(f"<p>{escape(plain_text(note, words))}</p>")
    for item in note.items:
        title, *lines = told_of(note, item, words)
        colour = _OVER if item.state is IncidentState.RESOLVED else _COLOURS[item.severity]
        parts.append(f'<div style="border-left:6px solid {colour};padding-left:12px;margin:12px 0">')
        parts.append(f'<p style="margin:0;font-weight:bold">{escape(title)}</p>')
        parts += [f'<p style="margin:4px 0">{escape(line)}</p>' for line in lines]
        if item is shown and cid is not None:
            parts.append(f'<img src="cid:{cid}" alt="{escape(item.site_name)}" style="max-width:100%">')
        parts.append("</div>")
    if not note.test:
        small = f"{words.text('notify.ours')} {words.text('notify.key', code=note.key)}"
        parts.append(f'<p style="color:#7b8794;font-size:13px">{escape(small)}</p>')
    return "".join([*parts, "</body></html>"])
