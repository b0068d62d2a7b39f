//! Where a model is reached: a base URL, perhaps a key, and the model's name.
//!
//! The one rule: of a URL only the host and the port are ever shown; the rest may hold a password.

use std::fmt;

use reqwest::Url;

use super::key::ApiKey;

/// Which model is called, and where.
#[derive(Clone, PartialEq, Eq)]
pub struct ModelEndpoint {
    /// Where the API begins: `https://api.openai.com/v1`.
    pub base_url: String,
    /// The key; none for a server that asks for none.
    pub api_key: Option<ApiKey>,
    /// The model's name, as the server knows it.
    pub model: String,
}

impl fmt::Debug for ModelEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ModelEndpoint")
            .field("host", &host_of(&self.base_url))
            .field("model", &self.model)
            .finish_non_exhaustive()
    }
}

impl ModelEndpoint {
    /// Returns what must not be shown: the key, and the password in the URL.
    pub(super) fn secrets(&self) -> Vec<String> {
        let mut secrets: Vec<String> = self.api_key.iter().map(|k| k.expose().to_owned()).collect();
        if let Some(url) = parse(&self.base_url) {
            secrets.extend(url.password().map(str::to_owned));
            secrets.push(url.username().to_owned());
        }
        secrets.retain(|secret| !secret.is_empty());
        secrets
    }

    pub(super) fn is_loopback(&self) -> bool {
        is_loopback(&self.base_url)
    }

    pub(super) fn is_encrypted(&self) -> bool {
        parse(&self.base_url).is_some_and(|url| url.scheme() == "https")
    }
}

/// Returns the host of a base URL, with the port where it is not the usual one; none for a text that
/// is no http or https URL.
///
/// ```
/// use memoryos::llm::host_of;
///
/// assert_eq!(host_of("https://me:pass@api.example.com/v1").as_deref(), Some("api.example.com"));
/// assert_eq!(host_of("http://127.0.0.1:11434/v1").as_deref(), Some("127.0.0.1:11434"));
/// assert_eq!(host_of("api.example.com"), None);
/// ```
pub fn host_of(base_url: &str) -> Option<String> {
    let url = parse(base_url)?;
    let host = url.host_str()?;
    Some(match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    })
}

/// Whether a base URL leads to this machine.
pub fn is_loopback(base_url: &str) -> bool {
    let Some(url) = parse(base_url) else { return false };
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    address.parse::<std::net::IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
        || host == "localhost"
        || host.ends_with(".localhost")
}

fn parse(base_url: &str) -> Option<Url> {
    Url::parse(base_url).ok().filter(|url| matches!(url.scheme(), "http" | "https"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_host_and_an_unusual_port_are_shown() {
        let cases = [
            ("https://api.openai.com/v1", Some("api.openai.com")),
            ("https://api.openai.com:443/v1", Some("api.openai.com")),
            ("http://u:p@h.example:8080/secret?key=x#y", Some("h.example:8080")),
            ("http://[::1]:9/v1", Some("[::1]:9")),
            ("ftp://h", None),
            ("https://", None),
            ("http://a b", None),
        ];
        for (url, host) in cases {
            assert_eq!(host_of(url).as_deref(), host, "{url}");
        }
    }

    #[test]
    fn this_machine_is_told_from_others() {
        for url in
            ["http://127.0.0.1:1/v1", "http://localhost", "http://[::1]:2", "http://127.9.9.9"]
        {
            assert!(is_loopback(url), "{url}");
        }
        for url in ["http://127.0.0.1.evil.example", "http://10.0.0.1", "http://localhost.org", "x"]
        {
            assert!(!is_loopback(url), "{url}");
        }
    }

    #[test]
    fn what_is_secret_in_it_is_not_printed() {
        let endpoint = ModelEndpoint {
            base_url: "https://me:pass1234@h.example/v1/token".to_owned(),
            api_key: ApiKey::new("sk-1"),
            model: "m".to_owned(),
        };
        let shown = format!("{endpoint:?}");
        assert_eq!(shown, "ModelEndpoint { host: Some(\"h.example\"), model: \"m\", .. }");
        assert_eq!(endpoint.secrets(), ["sk-1", "pass1234", "me"]);
    }
}
