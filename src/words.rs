//! What parsers and the system report, in words for people: no type names, no jargon and no content. Pure.

use std::io;

use serde_json::error::Category;
use url::ParseError;

/// Quotes a word of a command for a shell.
pub(crate) fn word(text: &str) -> String {
    // Fails only for NUL, which no argument can hold.
    shlex::try_quote(text).map_or_else(|_| text.replace('\0', ""), Into::into)
}

/// A JSON text that cannot be taken, with the place in it.
pub(crate) fn of_json(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let what = match error.classify() {
        Category::Eof => "it is cut off".to_owned(),
        Category::Syntax | Category::Io => "this is not valid JSON".to_owned(),
        Category::Data => of_data(&text),
    };
    if error.line() == 0 { what } else { format!("{what} (line {}, column {})", error.line(), error.column()) }
}

/// A YAML text that cannot be taken. The caller adds the place.
#[cfg(any(feature = "sandbox", test))] // nothing else reads YAML with serde
pub(crate) fn of_yaml(error: &serde_yaml::Error) -> String {
    use serde_yaml::Error as Yaml;
    match error.without_snippet() {
        Yaml::SerdeUnknownField { field, expected, .. } => unknown_key(field, expected),
        Yaml::SerdeMissingField { field, .. } => missing_key(field),
        Yaml::SerdeUnknownVariant { variant, expected, .. } => unknown_word(variant, expected),
        Yaml::SerdeInvalidType { unexpected, expected, .. } | Yaml::SerdeInvalidValue { unexpected, expected, .. } => {
            mismatch(unexpected, expected)
        }
        Yaml::DuplicateMappingKey { .. } => "a key occurs twice in one mapping".to_owned(),
        Yaml::InvalidScalar { ty, .. } => format!("{} is expected here", wanted(ty)),
        Yaml::Unexpected { expected, .. } => format!("{} is expected here", wanted(expected)),
        Yaml::InvalidBooleanStrict { .. } => "true or false is expected here".to_owned(),
        Yaml::NullIntoString { .. } => "a text is expected here, and there is none".to_owned(),
        Yaml::Eof { .. } => "the file is empty, or ends too early".to_owned(),
        Yaml::MultipleDocuments { .. } => "the file holds several YAML documents; one is expected".to_owned(),
        Yaml::UnknownAnchor { .. } => "an alias (`*name`) refers to no anchor (`&name`) above it".to_owned(),
        Yaml::Budget { .. } => "the file is larger, or nests deeper, than is read".to_owned(),
        Yaml::UnsupportedTag { .. } => "a value has a tag (`!name`), and no tags are known".to_owned(),
        Yaml::AliasError { error, .. } => of_yaml(error),
        other => {
            let text = other.to_string();
            let data = of_data(&text);
            if data == UNKNOWN { format!("this is not valid YAML: {}", of_yaml_syntax(&text)) } else { data }
        }
    }
}

/// What the YAML parser stumbled over, from its own words.
pub(crate) fn of_yaml_syntax(text: &str) -> &'static str {
    const KNOWN: &[(&str, &str)] = &[
        ("unclosed bracket", "a `[` or `{` is not closed"),
        ("unclosed quote", "a quote is not closed"),
        ("mismatched bracket", "a bracket is closed by one of the other kind"),
        ("misplaced bracket", "a `]` or `}` closes nothing"),
        ("parsing a flow mapping", "a `,` or the closing `}` is missing"),
        ("parsing a flow sequence", "a `,` or the closing `]` is missing"),
        ("implicit flow mapping", "a `,` or the closing `]` is missing"),
        ("parsing a block mapping", "`key: value` is expected here, in the column of the keys above"),
        ("block collection", "`- item` is expected here, in the column of the items above"),
        ("mapping values are not allowed", "a second `: ` follows on the same line, or the line is indented too far"),
        ("mapping keys are not allowed", "a key cannot stand here"),
        ("simple key", "a `:` is missing after the key, or a blank after the `:`"),
        ("must be followed by a valid YAML whitespace", "a blank is missing after `:` or `-`"),
        ("unexpected character", "a value cannot begin with this character"),
        ("block sequence entries are not allowed", "a list item `- …` cannot stand here"),
        ("only valid inside a block", "a list item `- …` cannot stand inside brackets"),
        ("cannot start with '-'", "a value cannot begin with `-` and a bracket"),
        ("tab", "the indentation has a tab, and YAML wants spaces"),
        (
            "escape",
            "a `\\` in a text in double quotes begins no escape that YAML knows; in single quotes it is a plain character",
        ),
        ("trailing content after", "something follows a closing quote"),
        ("quoted scalar", "a text in quotes is not valid"),
        ("block scalar", "the lines after `|` or `>` are not indented as a text of several lines"),
        ("anchor or alias", "`*` or `&` is not followed by a name; put a text that begins so in quotes"),
        ("separated from other tokens", "a blank is missing before `#`"),
        ("indentation", "the indentation does not fit the lines above"),
        ("indented", "the indentation does not fit the lines above"),
        ("irective", "a line that begins with `%` is a YAML directive; no directives are known"),
        ("tag", "a value has a tag (`!name`), and no tags are known"),
        ("EOF", "the file ends too early"),
        ("eof", "the file ends too early"),
        ("BOM", "the file has a byte order mark after its beginning"),
    ];
    let known = KNOWN.iter().find(|(part, _)| text.contains(part));
    known.map_or("this line, or the one above it, cannot be read", |(_, own)| own)
}

const UNKNOWN: &str = "a value does not fit";

/// What serde says of a value of the wrong shape. Values are not repeated; keys and words of the format are.
pub(crate) fn of_data(text: &str) -> String {
    let text = text.split(" at line ").next().unwrap_or(text);
    let quoted = |text: &str| text.split('`').nth(1).unwrap_or_default().to_owned();
    let list = |text: &str| -> Vec<String> {
        let known = text.split_once(", expected ").map_or("", |(_, list)| list);
        let names = known.split(['`', ',']).map(str::trim).map(|name| name.trim_start_matches("one of ").to_owned());
        names.filter(|name| !name.is_empty() && name != "or" && name != "one of").collect()
    };
    if text.starts_with("missing field") {
        return missing_key(&quoted(text));
    }
    if text.starts_with("duplicate field") {
        return format!("the key `{}` occurs twice", quoted(text));
    }
    if text.starts_with("unknown field") {
        return unknown_key(&quoted(text), &list(text));
    }
    if text.starts_with("unknown variant") {
        return unknown_word(&quoted(text), &list(text));
    }
    let wrong = ["invalid type: ", "invalid value: "].iter().find_map(|kind| text.strip_prefix(kind));
    if let Some((found, expected)) = wrong.and_then(|text| text.rsplit_once(", expected ")) {
        return mismatch(found, expected);
    }
    UNKNOWN.to_owned()
}

fn missing_key(key: &str) -> String {
    format!("the key `{key}` is missing")
}

fn unknown_key(key: &str, known: &[impl AsRef<str>]) -> String {
    format!("the key `{}` is unknown{}", short(key), one_of("known keys", known))
}

fn unknown_word(word: &str, known: &[impl AsRef<str>]) -> String {
    format!("`{}` is unknown{}", short(word), one_of("known words", known))
}

fn one_of(what: &str, known: &[impl AsRef<str>]) -> String {
    let known: Vec<&str> = known.iter().map(AsRef::as_ref).collect();
    if known.is_empty() { String::new() } else { format!("; {what}: {}", known.join(", ")) }
}

fn short(text: &str) -> String {
    text.chars().take(60).collect()
}

fn mismatch(found: &str, expected: &str) -> String {
    let kind = found.split([' ', '`', '"']).next().unwrap_or_default();
    let found = match kind {
        "map" | "struct" => "a mapping",
        "sequence" | "tuple" => "a list",
        "string" | "char" | "character" => "a text",
        "integer" | "floating" => "a number",
        "boolean" => "true or false",
        "null" | "unit" | "Option" => "nothing",
        _ => "something else",
    };
    format!("expected {}, found {found}", wanted(expected))
}

fn wanted(expected: &str) -> &'static str {
    let has = |parts: &[&str]| parts.iter().any(|part| expected.contains(part));
    match expected {
        "f32" | "f64" => "a number",
        "bool" | "boolean" => "true or false",
        _ if expected.len() <= 5 && expected.starts_with(['u', 'i']) && has(&["8", "16", "32", "64", "size"]) => {
            "a whole number"
        }
        _ if has(&["integer"]) => "a whole number",
        _ if has(&["boolean"]) => "true or false",
        _ if has(&["sequence", "list", "tuple", "array"]) => "a list",
        _ if has(&["map", "struct", "object"]) => "a mapping of keys to values",
        _ if has(&["string", "scalar", "character"]) => "a text",
        _ if has(&["float", "number"]) => "a number",
        _ => "another kind of value",
    }
}

/// Why a text is not a URL.
pub(crate) fn of_url(error: ParseError) -> &'static str {
    match error {
        ParseError::RelativeUrlWithoutBase | ParseError::RelativeUrlWithCannotBeABaseBase => {
            "it does not begin with a scheme such as https://"
        }
        ParseError::EmptyHost => "it names no host",
        ParseError::InvalidPort => "its port is not a number up to 65535",
        ParseError::InvalidIpv4Address | ParseError::InvalidIpv6Address => "its host is not a valid IP address",
        ParseError::IdnaError | ParseError::InvalidDomainCharacter => "its host has a character that no host name has",
        _ => "it cannot be read as one",
    }
}

/// Why the system refused something.
pub(crate) fn of_io(error: &io::Error) -> String {
    let own = match error.kind() {
        io::ErrorKind::NotFound => "there is no such file or folder",
        io::ErrorKind::PermissionDenied => "permission denied",
        io::ErrorKind::AddrInUse => "the address is in use by another program",
        io::ErrorKind::AddrNotAvailable => "this machine does not have that address",
        io::ErrorKind::StorageFull => "the disk is full",
        io::ErrorKind::ReadOnlyFilesystem => "the file system is read-only",
        io::ErrorKind::InvalidData => "it is not UTF-8 text",
        io::ErrorKind::IsADirectory => "it is a folder",
        io::ErrorKind::NotADirectory => "a part of the path is not a folder",
        _ => {
            let text = error.to_string();
            let Some(_) = error.raw_os_error() else { return text };
            return text.split(" (os error ").next().unwrap_or(&text).to_lowercase();
        }
    };
    own.to_owned()
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        #[expect(dead_code, reason = "only its type matters")]
        list: Vec<u32>,
        #[expect(dead_code, reason = "only its type matters")]
        word: Option<Word>,
        #[expect(dead_code, reason = "only its type matters")]
        inner: Option<Box<Sample>>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Word {
        One,
        Two,
    }

    #[test]
    fn json_of_the_wrong_shape_is_told_without_type_names() {
        for (text, expected) in [
            ("{", "it is cut off (line 1, column 1)"),
            ("{]", "this is not valid JSON (line 1, column 2)"),
            ("{}", "the key `list` is missing (line 1, column 2)"),
            (r#"{"list": {}}"#, "expected a list, found a mapping (line 1, column 9)"),
            (r#"{"list": ["a secret"]}"#, "expected a whole number, found a text (line 1, column 20)"),
            (r#"{"list": [-1]}"#, "expected a whole number, found a number (line 1, column 12)"),
            (r#"{"list": [], "inner": 7}"#, "expected a mapping of keys to values, found a number (line 1, column 23)"),
            (r#"{"list": [], "word": "x"}"#, "`x` is unknown; known words: one, two (line 1, column 24)"),
            (r#"{"list": [], "list": []}"#, "the key `list` occurs twice (line 1, column 19)"),
            (r#"{"lst": []}"#, "the key `lst` is unknown; known keys: list, word, inner (line 1, column 6)"),
        ] {
            let error = serde_json::from_str::<Sample>(text).expect_err(text);
            assert_eq!(of_json(&error), expected, "{error}");
        }
    }

    #[test]
    fn yaml_of_the_wrong_shape_is_told_without_type_names() {
        for (text, expected) in [
            ("list: {}", "a list is expected here"),
            ("list: [a]", "a whole number is expected here"),
            ("inner: 7\nlist: []", "a mapping of keys to values is expected here"),
            ("word: x\nlist: []", "`x` is unknown; known words: one, two"),
            ("lst: []", "the key `lst` is unknown; known keys: list, word, inner"),
            ("word: one", "the key `list` is missing"),
            ("list: []\nlist: []", "a key occurs twice in one mapping"),
            ("list: [", "this is not valid YAML: a `[` or `{` is not closed"),
            (
                "word: one: b",
                "this is not valid YAML: a second `: ` follows on the same line, or the line is indented too far",
            ),
            ("", "the file is empty, or ends too early"),
        ] {
            let error = serde_yaml::from_str::<Sample>(text).expect_err(text);
            assert_eq!(of_yaml(&error), expected, "{error}");
        }
    }

    #[test]
    fn urls_and_the_system_are_told_in_words() {
        let url = |text: &str| url::Url::parse(text).map_err(of_url).expect_err(text);
        assert_eq!(url("foo"), "it does not begin with a scheme such as https://");
        assert_eq!(url("https://x:99999"), "its port is not a number up to 65535");
        assert_eq!(url("https://[::"), "its host is not a valid IP address");
        let missing = std::fs::read("/there/is/none").expect_err("none");
        assert_eq!(of_io(&missing), "there is no such file or folder");
        let busy = io::Error::from_raw_os_error(26);
        assert!(!of_io(&busy).contains("os error"), "{busy}");
    }
}
