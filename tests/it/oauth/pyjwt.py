"""Verifies and makes client assertions with PyJWT (https://pyjwt.readthedocs.io), which shares no code with hookwright.

    pyjwt.py verify JWK_FILE AUDIENCE < ASSERTION     prints the claims as JSON
    pyjwt.py make PEM_FILE KEY_ID CLIENT_ID AUDIENCE  prints an assertion
"""

import json
import sys
import time
import uuid

import jwt


def verify(jwk_file, audience):
    with open(jwk_file, encoding="utf-8") as file:
        key = jwt.PyJWK(json.load(file))
    assertion = sys.stdin.read().strip()
    header = jwt.get_unverified_header(assertion)
    assert header == {"alg": "RS256", "typ": "JWT", "kid": key.key_id}, header
    required = {"require": ["iss", "sub", "aud", "jti", "iat", "exp"]}
    print(json.dumps(jwt.decode(assertion, key, algorithms=["RS256"], audience=audience, options=required)))


def make(pem_file, key_id, client_id, audience):
    with open(pem_file, encoding="utf-8") as file:
        pem = file.read()
    now = int(time.time())
    claims = {
        "iss": client_id,
        "sub": client_id,
        "aud": audience,
        "jti": str(uuid.uuid4()),
        "iat": now,
        "exp": now + 300,
    }
    print(jwt.encode(claims, pem, algorithm="RS256", headers={"kid": key_id}))


{"verify": verify, "make": make}[sys.argv[1]](*sys.argv[2:])
