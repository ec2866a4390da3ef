"""What the answers of the examples hold that is another each time: ids, tokens, times."""

from authsvc.demo_credentials import DEMO_ACCOUNT_ID, DEMO_USERNAME

ISSUER = "http://127.0.0.1:8000"
SUBJECT = str(DEMO_ACCOUNT_ID)
SESSION = "01a20d52-4d5a-75c7-8757-f1815906e37f"
SIGNED_IN_AT = "2026-11-25T21:43:47.930000Z"

TOKENS: dict[str, object] = {
    "access_token": "eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCIsImtpZCI6IjU1YTM5…",
    "token_type": "Bearer",
    "expires_in": 300,
    "refresh_token": "asvc_rt_AaINUWU3cz25VuZrEcCE5QAAAAFHqBXiGV9vfuvNutCCPzvQ…",
    "scope": "account",
}
CLIENT_TOKENS: dict[str, object] = {
    name: value for name, value in TOKENS.items() if name != "refresh_token"
} | {"scope": "introspect"}

LIVE_ACCESS_TOKEN: dict[str, object] = {
    "active": True,
    "scope": "account",
    "client_id": "public",
    "token_type": "Bearer",
    "exp": 1_795_520_127,
    "iat": 1_795_519_827,
    "nbf": 1_795_519_827,
    "sub": SUBJECT,
    "aud": ISSUER,
    "iss": ISSUER,
    "jti": "01a20d52-4d61-71a4-9544-01b2150a9483",
    "username": DEMO_USERNAME,
    "sid": SESSION,
}
USER = {
    "sub": SUBJECT,
    "username": DEMO_USERNAME,
    "scope": "account",
    "client_id": "public",
    "session_id": SESSION,
}
SESSION_SHOWN: dict[str, object] = {
    "id": SESSION,
    "client_id": "public",
    "created_at": SIGNED_IN_AT,
    "last_used_at": SIGNED_IN_AT,
    "address": "127.0.0.1",
    "user_agent": "curl/8.14.1",
    "current": True,
}
KEY = {
    "kty": "EC",
    "crv": "P-256",
    "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    "kid": "55a3917b0c41f2d8",
    "alg": "ES256",
    "use": "sig",
}
