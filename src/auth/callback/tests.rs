//! Vectors that were not computed by the code under test, but with
//! `printf '%s' MESSAGE | openssl dgst -sha256 -hmac hush-hush-client-secret` (the first one also with Python's hmac).

use super::*;

const SECRET: &str = "hush-hush-client-secret";
/// The time in the callbacks: 2012-05-16T14:22:53Z, from an old example in Shopify's documentation.
const AT: i64 = 1_337_178_173;
const STATE: &str = "0.6784241404160823";

const GENUINE: &str = "https://example.com/callback?code=0907a61c0c8d55e99db179b68161bc00\
    &hmac=0e00a6f516b87ae529c0a029f0a026c8370fff5b1766fa362d9617b2fb72ddbf\
    &host=YWRtaW4uc2hvcGlmeS5jb20vc3RvcmUvYWNtZQ&shop=acme.myshopify.com&state=0.6784241404160823&timestamp=1337178173";

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).expect("time")
}

fn verify_at(url: &str, state: &str, secrets: &[&str], seconds: i64) -> Result<String, CallbackError> {
    use secrecy::ExposeSecret as _;
    let shop = ShopDomain::parse("acme").expect("shop");
    let secrets: Vec<SecretString> = secrets.iter().map(|secret| SecretString::from(*secret)).collect();
    let max_age = SignedDuration::from_mins(10);
    let expected = Expected { shop: &shop, state: Some(state), secrets: secrets.iter().collect(), max_age };
    verify(url, &expected, at(seconds)).map(|code| code.expose_secret().to_owned())
}

fn check(url: &str) -> Result<String, CallbackError> {
    verify_at(url, STATE, &[SECRET], AT)
}

#[test]
fn a_genuine_callback_yields_its_code_however_it_is_pasted() {
    let code = Ok("0907a61c0c8d55e99db179b68161bc00".to_owned());
    let query = GENUINE.split_once('?').expect("query").1;
    let reversed = query.split('&').rev().collect::<Vec<_>>().join("&");
    let older = format!("{GENUINE}&signature=whatever");
    for url in [GENUINE, query, &reversed, &older, &format!(" {GENUINE}#top\n"), &query.replace("e.my", "%65.my")] {
        assert_eq!(check(url), code, "{url}");
    }
}

#[test]
fn the_encodings_of_shopifys_three_libraries_are_accepted() {
    let with = |hmac: &str| {
        format!("code=c0de&hmac={hmac}&host=aG9zdA%3D%3D&shop=acme.myshopify.com&state=a+b&timestamp=1337178173")
    };
    for hmac in [
        "54555bfc3c156f563d155c46880e7b4f0319c4ae01f3ec0f11c9a6d41f69b215", // …host=aG9zdA%3D%3D…state=a%20b…
        "9828bd80366a9e7ec3b80ffd1c134c81d5fa77cda571568ec4c2e43837743026", // …host=aG9zdA%3D%3D…state=a+b…
        "95fbbcf11cdbb4c85b33236c7259d260fb4b4c196b7fa5bdb40d0eb8f2702421", // …host=aG9zdA==…state=a b…
    ] {
        assert_eq!(verify_at(&with(hmac), "a b", &[SECRET], AT).as_deref(), Ok("c0de"), "{hmac}");
    }
}

#[test]
fn a_callback_signed_as_received_is_genuine_with_any_special_characters() {
    for (state, decoded, hmac) in [
        ("a~b%2Fc", "a~b/c", "ef08b4215262eca0edc96e26ab7d5899b7cf0499a25f36fb2abb8024e5c90a62"),
        ("(x)%20y", "(x) y", "cd2d990d507e486622b39f00d1655c16a5922bd1f96800b740648f179937c602"),
        ("a%2fb", "a/b", "3d8cf681c11afb69fc6fb7ffb2a1eb0dbb975010866fc33bf66a78e91653c40e"),
        // Signed over `~(x)!'*%20y`, as JavaScript leaves it, and encoded differently on the way.
        ("%7E%28x%29%21%27%2A+y", "~(x)!'* y", "b0e299a039fb60c4a6d623dfdda313faba6267f0859e1125a50494b5ff846264"),
    ] {
        let url = format!("code=c0de&hmac={hmac}&shop=acme.myshopify.com&state={state}&timestamp=1337178173");
        assert_eq!(verify_at(&url, decoded, &[SECRET], AT).as_deref(), Ok("c0de"), "{state}");
    }
}

#[test]
fn any_change_makes_the_hmac_invalid() {
    let changed = [
        GENUINE.replace("code=0907", "code=0908"),
        GENUINE.replace("shop=acme", "shop=acne"),
        GENUINE.replace("state=0.6", "state=0.7"),
        GENUINE.replace("timestamp=1337178173", "timestamp=1337178174"),
        GENUINE.replace("hmac=0e", "hmac=1e"),
        GENUINE.replace("72ddbf", "72ddb"),
        GENUINE.replace("72ddbf", "72dd"),
        GENUINE.replace("72ddbf", "72ddbg"),
        GENUINE.replace("&host=YWRtaW4uc2hvcGlmeS5jb20vc3RvcmUvYWNtZQ", ""),
        format!("{GENUINE}&extra=1"),
        // The same signed text with other parameters: one value must not become two.
        GENUINE.replace("&host=", "%26host%3D"),
    ];
    for url in &changed {
        assert_eq!(check(url), Err(CallbackError::Hmac), "{url}");
    }
    assert_eq!(verify_at(GENUINE, STATE, &["another"], AT), Err(CallbackError::Hmac));
    // During a rotation Shopify may still sign with the previous secret.
    assert!(verify_at(GENUINE, STATE, &["another", SECRET], AT).is_ok());
    assert_eq!(verify_at(GENUINE, STATE, &[], AT), Err(CallbackError::Hmac));
}

#[test]
fn shop_state_and_time_have_their_own_refusals() {
    let at_shop = |shop: &str, hmac: &str| format!("code=c0de&hmac={hmac}&shop={shop}&state=s&timestamp=1337178173");
    // printf '%s' 'code=c0de&shop=bolt.myshopify.com&state=s&timestamp=1337178173' | openssl dgst …
    let other = at_shop("bolt.myshopify.com", "186f9c12244010feb6e0898e28b1f1bd1896abcccebbfb00d09712527a0f3181");
    let other = verify_at(&other, "s", &[SECRET], AT);
    assert_eq!(other, Err(CallbackError::OtherShop(ShopDomain::parse("bolt").expect("shop"))));
    // Not a full domain, though signed: printf '%s' 'code=c0de&shop=acme&state=s&timestamp=1337178173' | …
    assert_eq!(
        verify_at(
            &at_shop("acme", "d2da4413c6bbaa91e24769f8c98519b2296af77659b0f859c6683949019483d0"),
            "s",
            &[SECRET],
            AT
        ),
        Err(CallbackError::NoShop)
    );
    assert_eq!(verify_at(GENUINE, "another state", &[SECRET], AT), Err(CallbackError::State));
    // Ten minutes, and 90 seconds for the difference of the clocks.
    assert!(verify_at(GENUINE, STATE, &[SECRET], AT + 690).is_ok());
    let old = verify_at(GENUINE, STATE, &[SECRET], AT + 691);
    assert_eq!(old, Err(CallbackError::Old(SignedDuration::from_secs(691))));
    assert!(verify_at(GENUINE, STATE, &[SECRET], AT - 90).is_ok());
    let ahead = verify_at(GENUINE, STATE, &[SECRET], AT - 91);
    assert_eq!(ahead, Err(CallbackError::Ahead(SignedDuration::from_secs(91))));
    assert_eq!(
        ahead.expect_err("ahead").to_string(),
        "the callback was signed 1m 31s in the future by this machine's clock. Correct the clock"
    );
}

#[test]
fn without_a_given_state_only_a_state_of_hookwright_is_accepted() {
    let shop = ShopDomain::parse("acme").expect("shop");
    let secret = SecretString::from(SECRET);
    let expected =
        Expected { shop: &shop, state: None, secrets: vec![&secret], max_age: SignedDuration::from_mins(10) };
    assert_eq!(verify(GENUINE, &expected, at(AT)).err(), Some(CallbackError::State));
}

#[test]
fn an_old_link_is_not_reported_as_a_foreign_one() {
    let shop = ShopDomain::parse("acme").expect("shop");
    let secret = SecretString::from(SECRET);
    let expected =
        Expected { shop: &shop, state: None, secrets: vec![&secret], max_age: SignedDuration::from_mins(10) };
    let after = |age: SignedDuration| {
        let state = state::make(&shop, &secret, at(AT) - age, 7);
        let query = format!("code=c0de&shop={shop}&state={state}&timestamp={AT}");
        let mac: [u8; 32] = state::keyed(&secret).chain_update(query.as_bytes()).finalize().into_bytes().into();
        verify(&format!("{query}&hmac={}", crate::digest::hex(&mac)), &expected, at(AT)).err()
    };
    assert_eq!(after(SignedDuration::from_hours(7 * 24)), None);
    assert_eq!(after(SignedDuration::from_hours(8 * 24)), Some(CallbackError::OldState));
}

#[test]
fn a_malformed_callback_is_refused_with_its_problem() {
    // The response in Adobe's document, in which a web page changed the `&times` of `&timestamp` into a sign.
    let sample = "https://www.acme.com/?code=k6j2palgrbljja228ou8c20fmn7w41gz&hmac=68c9163f772eecbc8848c90f695bca046089\
                  9c125af897a6d2b0ebbd59d3a43b&shop=connnectors-test.myshopify.com&state=123456Ã—tamp=1658305460";
    let error = check(sample).expect_err("cut");
    assert!(error.to_string().contains("restore `&timestamp`"), "{error}");
    for (url, error) in [
        ("", CallbackError::NoQuery),
        ("https://example.com/callback", CallbackError::NoQuery),
        ("https://example.com/callback?", CallbackError::NoQuery),
        ("?code=a&shop=b", CallbackError::Missing("hmac", "")),
        ("hmac=00&shop=acme.myshopify.com&state=s&timestamp=1", CallbackError::Missing("code", "")),
        ("hmac=00&code=&shop=b&state=s&timestamp=1", CallbackError::Missing("code", "")),
        ("hmac=00&code=a&code=b&shop=b&state=s&timestamp=1", CallbackError::Twice("code".to_owned())),
        ("hmac=00&code=a&%63ode=b&shop=b&state=s&timestamp=1", CallbackError::Twice("code".to_owned())),
        ("hmac=00&code=%ff&shop=b&state=s&timestamp=1", CallbackError::Encoding),
        ("hmac=00&code=%f&shop=b&state=s&timestamp=1", CallbackError::Encoding),
        ("hmac=zz&code=a&shop=b&state=s&timestamp=1", CallbackError::Hmac),
    ] {
        assert_eq!(check(url), Err(error), "{url}");
    }
}

#[test]
fn no_text_causes_a_panic_and_none_passes() {
    let mut rng = fastrand::Rng::with_seed(5);
    let alphabet: Vec<char> = "=&?#%+abcdefé\u{0}0123hmacodeshtimp.".chars().collect();
    for _ in 0..20_000 {
        let length = rng.usize(..60);
        let noise: String = (0..length).map(|_| alphabet[rng.usize(..alphabet.len())]).collect();
        assert!(check(&noise).is_err(), "{noise:?}");
        // Appended: additional parameters must be signed, too. The part after a `#` does not belong to the query.
        let longer = format!("{GENUINE}&{noise}=");
        let added = longer.strip_prefix(GENUINE).and_then(|added| added.split('#').next()).expect("added");
        match check(&longer) {
            Ok(_) => assert!(added.chars().all(|c| c == '&'), "{added:?} was let through"),
            Err(CallbackError::Hmac | CallbackError::Encoding | CallbackError::Twice(_)) => {}
            Err(error) => panic!("{added:?}: {error}"),
        }
    }
    // Inside: one character of the query is replaced.
    let start = GENUINE.find('?').expect("query") + 1;
    for at in start..GENUINE.len() {
        for &other in &alphabet {
            let changed = format!("{}{other}{}", &GENUINE[..at], &GENUINE[at + 1..]);
            assert!(changed == GENUINE || check(&changed).is_err(), "{changed}");
        }
    }
}
