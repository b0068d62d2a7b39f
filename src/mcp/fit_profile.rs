//! What of the profile and the knowledge goes into a reply of limited size.
//!
//! As in [`fit`](super::fit), the limit counts the characters of the JSON document.

use super::fit::{Room, json_chars, knowledge, prefix, text_chars};
use super::wire::{NO_PROFILE, ProfileReply};
use crate::engine::Profile;

/// Which knowledge was asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    pub(super) user: bool,
    pub(super) assistant: bool,
}

/// Fills a reply with the profile, at most half of it, and with the knowledge that is wanted, newest
/// first.
pub(super) fn profile(
    mut reply: ProfileReply,
    profile: Profile,
    wanted: Wanted,
    max_chars: usize,
) -> ProfileReply {
    let (n_user, n_assistant) = (profile.user_knowledge.len(), profile.assistant_knowledge.len());
    reply.user_knowledge_count = wanted.user.then_some(n_user);
    reply.assistant_knowledge_count = wanted.assistant.then_some(n_assistant);
    reply.user_knowledge = wanted.user.then(Vec::new);
    reply.assistant_knowledge = wanted.assistant.then(Vec::new);
    let mut room = Room(max_chars.saturating_sub(json_chars(&reply) + 1));

    let text = profile.profile.as_deref().unwrap_or(NO_PROFILE);
    let shown = prefix(text, room.0.min(max_chars / 2));
    room.0 -= text_chars(shown);
    reply.truncated |= shown.len() < text.len();
    shown.clone_into(&mut reply.user_profile);

    let assistants = if wanted.assistant { room.0 / 3 } else { 0 };
    let mut assistants = room.split(assistants);
    if wanted.user {
        let shown = knowledge(profile.user_knowledge, &mut room, &mut reply.truncated);
        reply.user_knowledge = Some(shown);
    }
    assistants.0 += room.0;
    if wanted.assistant {
        let shown = knowledge(profile.assistant_knowledge, &mut assistants, &mut reply.truncated);
        reply.assistant_knowledge = Some(shown);
    }
    reply
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::fake;
    use crate::time::Timestamp;

    fn shown(n_facts: usize, profile: Option<&str>, wanted: Wanted, max: usize) -> ProfileReply {
        let reply = ProfileReply {
            status: "success",
            timestamp: "2026-05-01T00:00:00Z".to_owned(),
            user_id: "ada".to_owned(),
            assistant_id: "mcp_assistant".to_owned(),
            user_profile: String::new(),
            user_knowledge: None,
            user_knowledge_count: None,
            assistant_knowledge: None,
            assistant_knowledge_count: None,
            truncated: false,
        };
        let facts = || (0..n_facts).map(|n| fake::fact(&format!("I like \"tea\" number {n}")));
        let known = Profile {
            assistant: "mcp_assistant".to_owned(),
            profile: profile.map(str::to_owned),
            user_knowledge: facts().collect(),
            assistant_knowledge: facts().collect(),
        };
        super::profile(reply, known, wanted, max)
    }

    #[test]
    fn a_profile_and_its_knowledge_never_take_more_than_was_asked_for() {
        let long = "\n\"x".repeat(20_000);
        for (user, assistant) in [(true, true), (true, false), (false, true), (false, false)] {
            for max in [2_000, 5_000, 24_000] {
                let reply = shown(500, Some(&long), Wanted { user, assistant }, max);
                assert!(json_chars(&reply) <= max, "{max}");
                assert!(reply.truncated);
                assert_eq!(reply.user_knowledge_count, user.then_some(500));
                assert_eq!(reply.assistant_knowledge.is_some(), assistant);
                assert!(reply.user_knowledge.is_none_or(|facts| !facts.is_empty()));
            }
        }
    }

    #[test]
    fn what_fits_is_shown_whole() {
        let reply = shown(3, None, Wanted { user: true, assistant: true }, 24_000);
        assert_eq!((reply.user_profile.as_str(), reply.truncated), ("None", false));
        assert_eq!(reply.user_knowledge.map(|facts| facts.len()), Some(3));
        assert_eq!(reply.assistant_knowledge.map(|facts| facts.len()), Some(3));
    }

    #[test]
    fn words_of_time_that_name_no_day_give_no_date() {
        let dated = |days: i64| {
            let mut fact = fake::fact("I played chess as a child");
            let at = fact.said_at.micros() - days * 86_400_000_000;
            fact.valid_from = Timestamp::from_parts(at, 0).unwrap();
            fact.dated_from().map(Timestamp::micros) == Some(at)
        };
        assert!(!dated(0));
        assert!(dated(7));
    }
}
