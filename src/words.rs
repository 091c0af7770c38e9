//! Errors of parsers and of the operating system in plain English, without type names, jargon or file content. Pure.

use std::io;

use serde_json::error::Category;
use url::ParseError;

/// Quotes a word of a command for a shell.
pub(crate) fn word(text: &str) -> String {
    // Fails only for NUL, which no argument can contain.
    shlex::try_quote(text).map_or_else(|_| text.replace('\0', ""), Into::into)
}

/// Describes why a JSON text cannot be read, with the place of the error.
pub(crate) fn of_json(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let what = match error.classify() {
        Category::Eof => "unexpected end of the JSON text".to_owned(),
        Category::Syntax | Category::Io => "invalid JSON".to_owned(),
        Category::Data => of_data(&text),
    };
    if error.line() == 0 { what } else { format!("{what} (line {}, column {})", error.line(), error.column()) }
}

/// Describes why a YAML text cannot be read. The caller adds the place.
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
        Yaml::DuplicateMappingKey { .. } => "duplicate key in a mapping".to_owned(),
        Yaml::InvalidScalar { ty, .. } => format!("expected {}", wanted(ty)),
        Yaml::Unexpected { expected, .. } => format!("expected {}", wanted(expected)),
        Yaml::InvalidBooleanStrict { .. } => "expected `true` or `false`".to_owned(),
        Yaml::NullIntoString { .. } => "expected a string, found nothing".to_owned(),
        Yaml::Eof { .. } => "unexpected end of the file".to_owned(),
        Yaml::MultipleDocuments { .. } => "expected one YAML document, found several".to_owned(),
        Yaml::UnknownAnchor { .. } => "an alias (`*name`) has no anchor (`&name`) above it".to_owned(),
        Yaml::Budget { .. } => "the file is too large or nested too deeply".to_owned(),
        Yaml::UnsupportedTag { .. } => "tags (`!name`) are not supported".to_owned(),
        Yaml::AliasError { error, .. } => of_yaml(error),
        other => {
            let text = other.to_string();
            let data = of_data(&text);
            if data == UNKNOWN { format!("invalid YAML: {}", of_yaml_syntax(&text)) } else { data }
        }
    }
}

/// Describes a syntax error, given the message of the YAML parser.
pub(crate) fn of_yaml_syntax(text: &str) -> &'static str {
    const KNOWN: &[(&str, &str)] = &[
        ("unclosed bracket", "a `[` or `{` is not closed"),
        ("unclosed quote", "a quote is not closed"),
        ("mismatched bracket", "a bracket is closed with a bracket of another kind"),
        ("misplaced bracket", "a `]` or `}` has no opening bracket"),
        ("parsing a flow mapping", "missing `,` or closing `}`"),
        ("parsing a flow sequence", "missing `,` or closing `]`"),
        ("implicit flow mapping", "missing `,` or closing `]`"),
        ("parsing a block mapping", "expected `key: value` in the column of the keys above"),
        ("block collection", "expected `- item` in the column of the items above"),
        ("mapping values are not allowed", "second `: ` on the same line, or wrong indentation"),
        ("mapping keys are not allowed", "a key is not allowed here"),
        ("simple key", "missing `:` after the key, or missing space after the `:`"),
        ("must be followed by a valid YAML whitespace", "missing space after `:` or `-`"),
        ("unexpected character", "a value cannot begin with this character"),
        ("block sequence entries are not allowed", "a list item `- …` is not allowed here"),
        ("only valid inside a block", "a list item `- …` is not allowed inside brackets"),
        ("cannot start with '-'", "a value cannot begin with `-` and a bracket"),
        ("tab", "tab in the indentation; YAML requires spaces"),
        (
            "escape",
            "unknown escape sequence in a string in double quotes; in single quotes, `\\` is an ordinary character",
        ),
        ("trailing content after", "unexpected text after a closing quote"),
        ("quoted scalar", "invalid quoted string"),
        ("block scalar", "wrong indentation of the lines after `|` or `>`"),
        ("anchor or alias", "missing name after `*` or `&`; put a string that begins with one of them in quotes"),
        ("separated from other tokens", "missing space before `#`"),
        ("indentation", "the indentation does not match the lines above"),
        ("indented", "the indentation does not match the lines above"),
        ("irective", "a line that begins with `%` is a YAML directive; directives are not supported"),
        ("tag", "tags (`!name`) are not supported"),
        ("EOF", "unexpected end of the file"),
        ("eof", "unexpected end of the file"),
        ("BOM", "byte order mark inside the file"),
    ];
    let known = KNOWN.iter().find(|(part, _)| text.contains(part));
    known.map_or("cannot parse this line or the line above it", |(_, own)| own)
}

const UNKNOWN: &str = "invalid value";

/// Describes a value of the wrong shape, given the message of serde. Includes keys and words of the format, but no
/// values.
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
        return format!("duplicate key `{}`", quoted(text));
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
    format!("missing key `{key}`")
}

fn unknown_key(key: &str, known: &[impl AsRef<str>]) -> String {
    format!("unknown key `{}`{}", short(key), one_of("known keys", known))
}

fn unknown_word(word: &str, known: &[impl AsRef<str>]) -> String {
    format!("unknown value `{}`{}", short(word), one_of("known values", known))
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
        "string" | "char" | "character" => "a string",
        "integer" | "floating" => "a number",
        "boolean" => "a boolean",
        "null" | "unit" | "Option" => "nothing",
        _ => "another type",
    };
    format!("expected {}, found {found}", wanted(expected))
}

fn wanted(expected: &str) -> &'static str {
    let has = |parts: &[&str]| parts.iter().any(|part| expected.contains(part));
    match expected {
        "f32" | "f64" => "a number",
        "bool" | "boolean" => "`true` or `false`",
        _ if expected.len() <= 5 && expected.starts_with(['u', 'i']) && has(&["8", "16", "32", "64", "size"]) => {
            "an integer"
        }
        _ if has(&["integer"]) => "an integer",
        _ if has(&["boolean"]) => "`true` or `false`",
        _ if has(&["sequence", "list", "tuple", "array"]) => "a list",
        _ if has(&["map", "struct", "object"]) => "a mapping",
        _ if has(&["string", "scalar", "character"]) => "a string",
        _ if has(&["float", "number"]) => "a number",
        _ => "a value of another type",
    }
}

/// Describes why a text is not a URL.
pub(crate) fn of_url(error: ParseError) -> &'static str {
    match error {
        ParseError::RelativeUrlWithoutBase | ParseError::RelativeUrlWithCannotBeABaseBase => {
            "it does not begin with a scheme such as `https://`"
        }
        ParseError::EmptyHost => "it has no host",
        ParseError::InvalidPort => "its port is not a number up to 65535",
        ParseError::InvalidIpv4Address | ParseError::InvalidIpv6Address => "its host is not a valid IP address",
        ParseError::IdnaError | ParseError::InvalidDomainCharacter => "its host contains an invalid character",
        _ => "it is malformed",
    }
}

/// Describes an error of the operating system.
pub(crate) fn of_io(error: &io::Error) -> String {
    let own = match error.kind() {
        io::ErrorKind::NotFound => "file or folder not found",
        io::ErrorKind::PermissionDenied => "permission denied",
        io::ErrorKind::AddrInUse => "another program uses the address",
        io::ErrorKind::AddrNotAvailable => "the address is not an address of this machine",
        io::ErrorKind::StorageFull => "the disk is full",
        io::ErrorKind::ReadOnlyFilesystem => "the file system is read-only",
        io::ErrorKind::InvalidData => "it is not UTF-8 text",
        io::ErrorKind::IsADirectory => "it is a folder",
        io::ErrorKind::NotADirectory => "a component of the path is not a folder",
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
    fn json_of_the_wrong_shape_is_described_without_type_names() {
        for (text, expected) in [
            ("{", "unexpected end of the JSON text (line 1, column 1)"),
            ("{]", "invalid JSON (line 1, column 2)"),
            ("{}", "missing key `list` (line 1, column 2)"),
            (r#"{"list": {}}"#, "expected a list, found a mapping (line 1, column 9)"),
            (r#"{"list": ["a secret"]}"#, "expected an integer, found a string (line 1, column 20)"),
            (r#"{"list": [-1]}"#, "expected an integer, found a number (line 1, column 12)"),
            (r#"{"list": [], "inner": 7}"#, "expected a mapping, found a number (line 1, column 23)"),
            (r#"{"list": [], "word": "x"}"#, "unknown value `x`; known values: one, two (line 1, column 24)"),
            (r#"{"list": [], "list": []}"#, "duplicate key `list` (line 1, column 19)"),
            (r#"{"lst": []}"#, "unknown key `lst`; known keys: list, word, inner (line 1, column 6)"),
        ] {
            let error = serde_json::from_str::<Sample>(text).expect_err(text);
            assert_eq!(of_json(&error), expected, "{error}");
        }
    }

    #[test]
    fn yaml_of_the_wrong_shape_is_described_without_type_names() {
        for (text, expected) in [
            ("list: {}", "expected a list"),
            ("list: [a]", "expected an integer"),
            ("inner: 7\nlist: []", "expected a mapping"),
            ("word: x\nlist: []", "unknown value `x`; known values: one, two"),
            ("lst: []", "unknown key `lst`; known keys: list, word, inner"),
            ("word: one", "missing key `list`"),
            ("list: []\nlist: []", "duplicate key in a mapping"),
            ("list: [", "invalid YAML: a `[` or `{` is not closed"),
            ("word: one: b", "invalid YAML: second `: ` on the same line, or wrong indentation"),
            ("", "unexpected end of the file"),
        ] {
            let error = serde_yaml::from_str::<Sample>(text).expect_err(text);
            assert_eq!(of_yaml(&error), expected, "{error}");
        }
    }

    #[test]
    fn errors_of_urls_and_of_the_system_are_described() {
        let url = |text: &str| url::Url::parse(text).map_err(of_url).expect_err(text);
        assert_eq!(url("foo"), "it does not begin with a scheme such as `https://`");
        assert_eq!(url("https://x:99999"), "its port is not a number up to 65535");
        assert_eq!(url("https://[::"), "its host is not a valid IP address");
        let missing = std::fs::read("/there/is/none").expect_err("none");
        assert_eq!(of_io(&missing), "file or folder not found");
        let busy = io::Error::from_raw_os_error(26);
        assert!(!of_io(&busy).contains("os error"), "{busy}");
    }
}
