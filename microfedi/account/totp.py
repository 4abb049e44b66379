"""The second factor: six digits from an app on the owner's phone. Source: RFC 6238."""

import hmac
import re
from datetime import datetime

import pyotp
import segno

from microfedi.protocol.sanitize import SafeHtml

STEP_S = 30  # seconds that a code is good for; the only value every app knows
STEPS_AROUND = 1  # codes before and after the present one: clocks differ, people type slowly
SECRET_CHARS = 32  # of Base32: 160 bits, what RFC 4226 4 recommends

_CODE = re.compile(r"[0-9]{6}")  # \d would also take digits of other scripts


def new_secret() -> str:
    """Return a fresh secret in Base32, as it can be typed into an app."""
    return pyotp.random_base32(SECRET_CHARS)


def is_code(typed: str) -> bool:
    """True for what could be a code: six ASCII digits and nothing else.

    >>> is_code("123456"), is_code("１２３４５６"), is_code("12345")
    (True, False, False)
    """
    return _CODE.fullmatch(typed) is not None


def accepted_step(secret: str, code: str, now: datetime) -> int | None:
    """Return the time step that a code belongs to; None if it is wrong or too old.

    Whether that step has been used before is `owner.use_totp_step`'s to say.

    Source: RFC 6238 5.2.
    """
    if not is_code(code):
        return None
    present = int(now.timestamp()) // STEP_S
    totp = pyotp.TOTP(secret)
    accepted = None
    # All are compared, whichever fits: how long it takes says nothing.
    for step in range(present - STEPS_AROUND, present + STEPS_AROUND + 1):
        if hmac.compare_digest(totp.generate_otp(step), code):
            accepted = step
    return accepted


def provisioning_uri(secret: str, *, handle: str, host: str) -> str:
    """Return the otpauth: address that an app reads; the server's host is the issuer."""
    return pyotp.TOTP(secret).provisioning_uri(name=handle, issuer_name=host)


def qr_svg(uri: str) -> SafeHtml:
    """Draw an otpauth: address as inline SVG. Dark on white in every theme: cameras want that."""
    drawn = segno.make(uri, error="m", micro=False).svg_inline(
        omitsize=True, light="#fff", title="QR code for the authenticator app", svgclass="qr"
    )
    return SafeHtml(drawn)  # made of numbers and the title above
