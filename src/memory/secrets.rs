//! Does a text look like it holds a secret?
//!
//! A guess by rule, made to warn: it must be silent about what merely looks random (hashes, UUIDs,
//! phone numbers), so it may miss a secret. What is found is named by kind and never repeated.

/// What a text seems to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Secret {
    /// A key or token for a service.
    Key,
    /// A password or passphrase.
    Password,
    /// A private key block.
    PrivateKey,
    /// The number of a payment card.
    Card,
    /// The words that recover a wallet.
    SeedPhrase,
}

impl Secret {
    /// Returns its name for a sentence, with the article.
    pub fn name(self) -> &'static str {
        match self {
            Self::Key => "an access key or token",
            Self::Password => "a password",
            Self::PrivateKey => "a private key",
            Self::Card => "a card number",
            Self::SeedPhrase => "a recovery phrase",
        }
    }
}

/// How keys of known services begin, and the fewest characters that must follow.
const PREFIXES: [(&str, usize); 25] = [
    ("sk-", 16),
    ("sk_live_", 10),
    ("sk_test_", 10),
    ("rk_live_", 10),
    ("pk_live_", 10),
    ("ghp_", 20),
    ("gho_", 20),
    ("ghu_", 20),
    ("ghs_", 20),
    ("ghr_", 20),
    ("github_pat_", 20),
    ("glpat-", 16),
    ("xoxb-", 10),
    ("xoxp-", 10),
    ("xoxa-", 10),
    ("xapp-", 10),
    ("AKIA", 16),
    ("ASIA", 16),
    ("AIza", 30),
    ("ya29.", 20),
    ("hf_", 20),
    ("npm_", 30),
    ("pypi-", 30),
    ("SG.", 30),
    ("dop_v1_", 30),
];

/// Words that are followed by a secret.
const LABELS: [&str; 13] = [
    "password",
    "passwd",
    "passphrase",
    "passcode",
    "pwd",
    "api key",
    "api_key",
    "apikey",
    "secret key",
    "secret_key",
    "access token",
    "auth token",
    "client_secret",
];

/// Words that follow a label without being the secret.
const PLAIN: [&str; 40] = [
    "a", "an", "and", "the", "my", "your", "is", "was", "be", "to", "too", "not", "no", "in", "on",
    "of", "for", "it", "set", "wrong", "correct", "reset", "changed", "change", "required",
    "missing", "weak", "strong", "invalid", "expired", "manager", "policy", "field", "hash",
    "stored", "secure", "safe", "empty", "now", "always",
];

/// Returns what secret a text seems to hold, if any.
///
/// One pass over the text for each rule; a text of 64 KiB takes about a millisecond.
pub fn find(text: &str) -> Option<Secret> {
    if text.contains("-----BEGIN") && text.contains("PRIVATE KEY-----") {
        return Some(Secret::PrivateKey);
    }
    let tokens = || text.split(|c: char| !is_token_char(c)).map(trim_token);
    if tokens().any(|t| has_key_prefix(t) || is_jwt(t)) {
        return Some(Secret::Key);
    }
    if has_card(text) {
        return Some(Secret::Card);
    }
    if let Some(secret) = labelled(text) {
        return Some(secret);
    }
    if has_seed_phrase(text) {
        return Some(Secret::SeedPhrase);
    }
    tokens().any(looks_random).then_some(Secret::Key)
}

fn is_token_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '+' | '/')
}

fn trim_token(token: &str) -> &str {
    token.trim_matches(|c: char| !c.is_ascii_alphanumeric())
}

fn has_key_prefix(token: &str) -> bool {
    let key_char = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    PREFIXES.iter().any(|(prefix, rest)| {
        token.strip_prefix(prefix).is_some_and(|r| {
            r.chars().count() >= *rest
                && r.chars().all(key_char)
                && r.chars().any(|c| c.is_ascii_digit())
        })
    })
}

fn is_jwt(token: &str) -> bool {
    let mut parts = token.split('.');
    let long = |p: Option<&str>| p.is_some_and(|p| p.len() >= 16);
    token.starts_with("eyJ") && long(parts.next()) && long(parts.next()) && parts.next().is_some()
}

/// Looks for the number of a card, in one piece or in groups as cards print it, also among other
/// numbers: a date, a check code.
fn has_card(text: &str) -> bool {
    let mut runs = text.split(|c: char| !c.is_ascii_alphanumeric() && c != ' ' && c != '-');
    runs.any(|run| {
        let groups: Vec<&str> = run.split([' ', '-']).filter(|g| !g.is_empty()).collect();
        let printed = |groups: &[&str]| is_printed_so(groups) && is_card(&groups.concat());
        groups.iter().any(|group| is_card(group)) || (3..=5).any(|n| groups.windows(n).any(printed))
    })
}

/// Whether groups of digits are as long as on a card.
fn is_printed_so(groups: &[&str]) -> bool {
    const SHAPES: [&[usize]; 5] =
        [&[4, 4, 4, 4], &[4, 6, 5], &[4, 6, 4], &[4, 4, 5], &[4, 4, 4, 4, 3]];
    SHAPES.iter().any(|shape| groups.iter().map(|g| g.len()).eq(shape.iter().copied()))
}

/// Whether a text is 13 to 19 digits that a card scheme would number and whose check digit fits.
fn is_card(text: &str) -> bool {
    let Some(digits) = text.chars().map(|c| c.to_digit(10)).collect::<Option<Vec<u32>>>() else {
        return false;
    };
    (13..=19).contains(&digits.len())
        && is_of_a_scheme(&digits)
        && digits.iter().any(|d| Some(d) != digits.first())
        && luhn(&digits)
}

/// Whether a number begins as American Express, Visa, Mastercard (5 and 2221 to 2720), Discover and
/// their like do.
fn is_of_a_scheme(digits: &[u32]) -> bool {
    let beginning = digits.iter().take(4).fold(0, |number, d| 10 * number + d);
    (3000..=6999).contains(&beginning) || (2221..=2720).contains(&beginning) && digits.len() == 16
}

fn luhn(digits: &[u32]) -> bool {
    let doubled = |d: u32| if d > 4 { 2 * d - 9 } else { 2 * d };
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(i, &d)| if i % 2 == 1 { doubled(d) } else { d })
        .sum();
    sum.is_multiple_of(10)
}

/// Looks for "password is hunter2", "api key = ...", "pwd: ...".
fn labelled(text: &str) -> Option<Secret> {
    let lower = text.to_ascii_lowercase();
    for label in LABELS {
        for (at, _) in lower.match_indices(label) {
            let whole = lower.get(..at).and_then(|b| b.chars().next_back());
            if whole.is_some_and(char::is_alphanumeric) {
                continue;
            }
            let Some(rest) = lower.get(at + label.len()..) else { continue };
            if value_after(rest).is_some_and(is_secret_value) {
                let password = label.starts_with('p');
                return Some(if password { Secret::Password } else { Secret::Key });
            }
        }
    }
    None
}

/// Returns the word after "is", ":" or "=" at the start of a text.
fn value_after(rest: &str) -> Option<&str> {
    let rest = rest.trim_start_matches(['"', '\'', '`']).trim_start_matches(' ');
    let rest = rest
        .strip_prefix("is ")
        .or_else(|| rest.strip_prefix("was "))
        .or_else(|| rest.strip_prefix(':'))
        .or_else(|| rest.strip_prefix('='))?;
    let rest = rest.trim_start_matches([' ', ':', '"', '\'', '`']);
    rest.split([' ', '\n', '\t', '"', '\'', '`', ',', ';']).next()
}

fn is_secret_value(value: &str) -> bool {
    let value = value.trim_end_matches(['.', '!', '?', ')']);
    value.chars().count() >= 4
        && !PLAIN.contains(&value)
        && !value.starts_with(['<', '$', '{', '*'])
}

/// Looks for 12 or more words of 3 to 8 letters after the name of such a phrase.
fn has_seed_phrase(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let names = ["seed phrase", "recovery phrase", "mnemonic", "seed words"];
    names.iter().any(|name| {
        lower.split_once(name).is_some_and(|(_, rest)| {
            let rest = rest.trim_start_matches([' ', ':', '"', '=']);
            let rest = rest.strip_prefix("is").unwrap_or(rest);
            let words = rest.split_whitespace().map(|w| w.trim_matches(['"', ':', ',', '.']));
            let plain =
                |w: &&str| (3..=8).contains(&w.len()) && w.chars().all(|c| c.is_ascii_lowercase());
            words.skip_while(|w| w.is_empty()).take_while(plain).count() >= 12
        })
    })
}

/// Looks for a long token that mixes upper case, lower case and digits as no word does.
fn looks_random(token: &str) -> bool {
    let len = token.chars().count();
    if !(32..=200).contains(&len) || token.contains('/') || token.contains('.') {
        return false;
    }
    let classes = token.chars().map(class);
    let changes = classes.clone().zip(classes.skip(1)).filter(|(a, b)| a != b).count();
    let has = |f: fn(&char) -> bool| token.chars().any(|c| f(&c));
    has(char::is_ascii_uppercase)
        && has(char::is_ascii_lowercase)
        && 12 * token.chars().filter(char::is_ascii_digit).count() >= len
        && token.split(['-', '_']).map(str::len).max().unwrap_or_default() >= 20
        && 3 * changes >= len
}

fn class(c: char) -> u8 {
    match c {
        'a'..='z' => 0,
        'A'..='Z' => 1,
        '0'..='9' => 2,
        _ => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_found_and_named_by_kind() {
        let words = "apple river stone cloud tiger ocean paper chair music bread light dream";
        let cases = [
            ("my key is sk-proj-abcdEFGH1234567890abcd", Secret::Key),
            ("use ghp_0123456789abcdefghijABCDEFGHIJ456789", Secret::Key),
            ("aws AKIAIOSFODNN7EXAMPLE ok", Secret::Key),
            ("token=eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.abcDEF123", Secret::Key),
            ("-----BEGIN RSA PRIVATE KEY-----\nMIIE", Secret::PrivateKey),
            ("card 4111 1111 1111 1111 exp 12/29", Secret::Card),
            ("pay with 5555555555554444", Secret::Card),
            ("amex 3782-822463-10005", Secret::Card),
            ("4111 1111 1111 1111 12/29 123", Secret::Card),
            ("4111111111111111 12/29 123", Secret::Card),
            ("Visa - 4111 1111 1111 1111", Secret::Card),
            ("2 4111 1111 1111 1111", Secret::Card),
            ("4111  1111  1111  1111", Secret::Card),
            ("mastercard 2223 0031 2200 3222", Secret::Card),
            ("cards 2026 12 3 3782 822463 10005 7", Secret::Card),
            ("My password is hunter2.", Secret::Password),
            ("the wifi password: correcthorse", Secret::Password),
            ("PWD=s3cr3t!", Secret::Password),
            ("set api_key=abcd1234efgh", Secret::Key),
            ("q7Zr2LmP9xKd4VtB8nYc1WsH6jGf3QaE5uRo", Secret::Key),
            (&format!("my seed phrase is {words}"), Secret::SeedPhrase),
        ];
        for (text, kind) in cases {
            assert_eq!(find(text), Some(kind), "{text}");
        }
    }

    #[test]
    fn what_only_looks_like_a_secret_is_not_warned_about() {
        let cases = [
            "commit 9fceb02d0ae598e95dc970b74767f19372d61af8",
            "id 0190163d-8694-739b-aea5-966c26f8ad91",
            "ISBN 978-3-16-148410-0 and 9783161484100",
            "call +49 30 901820 or 1-800-555-0199",
            "call 4930 9018 2012 or +1 650 253 0000 - 650 253 0001",
            "commit 9fc4111111111111111abd95dc970b74767f1937",
            "id 41111111-1111-4111-8111-111111111111",
            "ISBN 978 0 306 40615 7, 0-306-40615-2 and 9780306406157",
            "2721 0000 0000 0004 is no Mastercard, 2220 9900 0000 0002 neither",
            "years 2019 2020 2021 2022 2023 2024 2025 2026",
            "aGVsbG8gd29ybGQ=",
            "I forgot my password and had to reset it",
            "the password is required",
            "password: <your password>",
            "use a password manager",
            "sk-learn is a library, task-oriented work",
            "order 1234567890123456",
            "https://example.com/a/very/long/path/With/Mixed/Case123/and/more",
            "thisIsAVeryLongCamelCaseIdentifierNameInSomeProgram2",
            "from 2024-01-01 10:00 to 2024-01-02 11:00",
            "pi is 3.14159265358979323846",
            "a seed phrase is a list of words that recovers a wallet",
            "",
        ];
        for text in cases {
            assert_eq!(find(text), None, "{text}");
        }
    }
}
