use super::*;

fn shop(name: &str) -> ShopDomain {
    ShopDomain::parse(name).expect("domain")
}

fn injector(seed: u64, specs: &[&str]) -> Injector {
    let rules = specs.iter().map(|spec| Rule::parse_spec(spec).expect(spec)).collect();
    let mut injector = Injector::default();
    injector.set(Faults { seed, rules });
    injector
}

fn names(injector: &mut Injector, name: &str, asked: &[On]) -> Vec<String> {
    asked.iter().map(|on| injector.next(&shop(name), *on).names.join("+")).collect()
}

#[test]
fn a_rule_spares_strikes_and_ends_as_it_says_in_each_shop_by_itself() {
    use On::{Mutation, Query};
    let mut injector = injector(0, &["drop,on=mutation,after=1,times=2,shop=a*", "latency,ms=5,on=query", "html"]);
    let asked = [Query, Mutation, Mutation, Mutation, Mutation];
    let a = ["latency+html", "html", "drop", "drop", "html"];
    assert_eq!(names(&mut injector, "a1", &asked), a);
    assert_eq!(names(&mut injector, "b", &asked), ["latency+html", "html", "html", "html", "html"]);
    assert_eq!(names(&mut injector, "a2", &asked), a, "a shop does not use up another's");
}

#[test]
fn chance_depends_on_the_seed_the_shop_and_the_request_alone() {
    let specs = ["drop,probability=0.5", "latency,ms=10,jitter_ms=90"];
    let asked = [On::Query; 64];
    let run = |seed: u64, order: &[&str]| {
        let mut injector = injector(seed, &specs);
        let mut all: Vec<_> =
            order.iter().map(|name| ((*name).to_owned(), names(&mut injector, name, &asked))).collect();
        all.sort();
        all
    };
    assert_eq!(run(7, &["a", "b"]), run(7, &["b", "a"]));
    assert_ne!(run(7, &["a", "b"]), run(8, &["a", "b"]));
    let struck = run(7, &["a"])[0].1.iter().filter(|names| names.contains("drop")).count();
    assert!((16..48).contains(&struck), "{struck} of 64");
    let waits: Vec<_> = (0..50).map(|_| injector(7, &specs).next(&shop("a"), On::Query).wait).collect();
    assert!(waits.iter().all(|wait| (10..=100).contains(&wait.0) && *wait == waits[0]));
}

#[test]
fn what_cannot_be_is_refused_with_a_hint() {
    for (spec, hint) in [
        ("dorp", "did you mean drop?"),
        ("drop,tims=2", "did you mean times?"),
        ("latency,mz=2", "the key `mz` is unknown; known keys: ms, jitter_ms"),
        ("drop,on=write", "one of query, mutation, oauth, any"),
        ("drop,on=adobe,shop=a", "Adobe's side has no shops; leave it out"),
        ("frozen,on=ims", "Adobe's side knows no such thing"),
        ("throttled,on=adobe", "Adobe's side knows no such thing"),
        ("drop,commit=never", "`never` is unknown; known words: before, after"),
        ("drop,probability=2", "a number from 0 to 1"),
        ("drop,times=some", "a whole number"),
        ("drop,shop=[", "`shop` of drop"),
        ("drop,before", "write key=value"),
        ("server_error,status=404", "one of 500, 502, 503, 504"),
        ("html,status=302", "200, or one from 400"),
        ("rate_limited,retry_after=-1", "at most 3600"),
        ("shifting_pages,size=0", "1 to 250 entries"),
        ("shifting_pages,size=2,by=-2", "a shift is smaller than a page"),
        ("shifting_pages,on=adobe", "Adobe's side knows no such thing"),
        ("other_writer,act=add", "needs an address"),
        ("other_writer,act=edit", "needs set"),
        ("other_writer", "the key `act` is missing"),
        ("", "a rule names its `fault`"),
    ] {
        let message = Rule::parse_spec(spec).expect_err(spec);
        assert!(message.contains(hint), "{spec}: {message}");
    }
}

#[test]
fn every_fault_has_its_name_and_reads_back_as_it_was_written() {
    for name in NAMES {
        let more = match name {
            "other_writer" => ",act=delete",
            _ => "",
        };
        let rule = Rule::parse_spec(&format!("{name}{more},times=3,shop=a,on=query")).expect(name);
        assert_eq!(rule.fault.name(), name);
        let Value::Object(written) = rule.to_json() else { panic!("{name}") };
        let known = written.into_iter().filter(|(_, value)| !value.is_null()).collect();
        assert_eq!(Rule::parse(known).expect(name).to_json(), rule.to_json());
    }
}
