//! `auth key`: a private key that is never overwritten, and its public half.

use crate::world::World;

#[test]
fn a_key_is_written_for_its_owner_and_its_public_half_is_printed() {
    let world = World::new("", "");
    let new = world.run(&["auth", "key", "new", "--out", "app.pem"]);
    new.exits(0).err_has("which only its owner can read").err_has("private_key: { file: app.pem }");
    let jwk = new.json();
    let kid = jwk["kid"].as_str().unwrap();
    new.err_has(&format!("under the key id {kid}"));
    let keys: Vec<&str> = jwk.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["alg", "e", "kid", "kty", "n", "use"], "no private member");
    let pem = world.read("app.pem");
    assert!(pem.starts_with("-----BEGIN PRIVATE KEY-----\n") && pem.ends_with("\n-----END PRIVATE KEY-----\n"));
    assert!(
        !new.to_string().contains("PRIVATE KEY") && !new.to_string().contains(pem.lines().nth(2).unwrap()),
        "{new}"
    );
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(world.path("app.pem")).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let again = world.run(&["auth", "key", "new", "--out", "app.pem"]);
    again
        .exits(3)
        .err_has("app.pem already exists and is not overwritten")
        .err_has("`hookwright auth key public app.pem`");
    assert_eq!(world.read("app.pem"), pem);
    assert_eq!(world.run(&["auth", "key", "public", "app.pem"]).exits(0).json(), jwk);
    let named = world.run(&["auth", "key", "public", "app.pem", "--key-id", "mine"]).json();
    assert_eq!((&named["kid"], &named["n"]), (&"mine".into(), &jwk["n"]));
    world
        .run(&["auth", "key", "new", "--out", "no/such/folder.pem"])
        .exits(3)
        .err_has("cannot write no/such/folder.pem");
    world.run(&["auth", "key", "public", "hookwright.yaml"]).exits(3).err_has("hookwright.yaml is empty");
}
