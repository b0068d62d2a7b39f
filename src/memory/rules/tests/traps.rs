//! What is no fact. Every false fact found anywhere becomes a row here.

use super::check_silent;

/// Moods and chit-chat.
const MOODS_AND_CHIT_CHAT: &[&str] = &[
    "I'm tired.",
    "I'm so happy for you!",
    "I'm fine, thanks.",
    "I'm a bit nervous.",
    "I'm a mess today.",
    "I'm OK.",
    "I'm Sorry.",
    "I'm glad you like it.",
    "I'm excited!",
    "I'm here to help.",
    "I'm back.",
    "I feel great today.",
    "I think so too.",
    "I know what you mean.",
    "I agree with you.",
    "I love it!",
    "I love that.",
    "I love your dress.",
    "I like the idea.",
    "I like how you put it.",
    "I love seeing you smile.",
    "I really enjoyed it.",
    "I hate this.",
    "I'm into it.",
    "I'm proud of you.",
    "I appreciate your help.",
    "I can't wait to see you.",
    "I miss you.",
    "I'll let you know.",
    "I'll be there.",
    "I'll check it out.",
    "I will think about it.",
    "I'm going to keep trying.",
    "I've got to go.",
    "I have to go now.",
    "I need to fix this bug.",
    "I have a question.",
    "I have an idea.",
    "I have no idea.",
    "I have a feeling it will rain.",
    "I had fun.",
    "I made it!",
    "I took a look.",
    "I got it.",
    "I got your message.",
    "I saw your post.",
    "I told you.",
    "I read it.",
    "I found it.",
    "I tried.",
    "I guess that's true.",
    "I hope you're well.",
    "I wish you luck.",
    "I'm sure it'll work out.",
    "We did it!",
    "We had a great time.",
    "My pleasure.",
    "My bad.",
    "My point is that it works.",
    "My question is about taxes.",
    "My goodness!",
    "My family is the best.",
    "My kids are excited.",
    "My mom would love it.",
    "My friend is nice.",
    "My goal was to help.",
    "Sounds good to me.",
    "Took me a while.",
    "Loved your photos.",
    "Thanks, my friend.",
    "Working on it.",
    "Learning new things is great.",
    "Thinking of you.",
    "Looking good!",
];

/// Questions.
const QUESTIONS: &[&str] = &[
    "Do I live in Oslo?",
    "Am I allergic to nuts?",
    "Where do I live?",
    "What's my name?",
    "Do you remember when I lived in Rome?",
    "Do you know that I live in Oslo?",
    "Should I buy a car?",
    "Did you know I'm a nurse?",
    "I live in Oslo, right?",
    "What if I were a doctor?",
    "Can I have a dog?",
    "Is my sister Anna older?",
    "Remember that I like jazz?",
];

/// Conditions and wishes.
const CONDITIONS_AND_WISHES: &[&str] = &[
    "If I lived in Oslo, I would ski.",
    "If I have a dog, I will walk it.",
    "I would love to visit Japan.",
    "I'd like a coffee.",
    "I wish I lived in Paris.",
    "I could be a teacher.",
    "I might move to Berlin.",
    "I should buy a bike.",
    "Maybe I am allergic to nuts.",
    "I'm probably a vegetarian at heart.",
    "Unless I live in Rome, it won't work.",
    "Suppose I live in Oslo.",
    "When I have kids, I will move.",
    "Once I own a house I will relax.",
    "It would be nice and I live well there.",
    "I wonder whether I have asthma.",
];

/// Role-play and texts to be worked on.
const ROLE_PLAY_AND_TEXTS_TO_BE_WORKED_ON: &[&str] = &[
    "Imagine I'm a pirate. I live on a ship called Rosa.",
    "Pretend I am a doctor. I work at Mercy Hospital.",
    "Pretend to be my sister Anna.",
    "Let's role-play. I'm a nurse and I live in Oslo.",
    "You are a lawyer. I am allergic to nuts.",
    "Act as my boss. I work at Acme.",
    "Write a poem as a sailor. I live in Bergen.",
    "Write a letter from the perspective of a cat. I hate dogs.",
    "Write an email to my boss. I have a dentist appointment on Friday.",
    "Translate to French: I live in Oslo and I have two cats.",
    "Translate this sentence. My name is Ada.",
    "Please proofread: I am a nurse at Mercy.",
    "Can you rewrite this? I moved to Oslo in 2019.",
    "Summarize: I went to Paris last week.",
    "Correct my grammar: I has a dog.",
    "Fix the grammar: My sister live in Rome.",
    "For example, I live in Oslo.",
    "Write a bio in first person. I work at Tesla.",
    "In the voice of Poe: I hate ravens.",
    "Say I'm a farmer, what would I pay?",
    "Here's the text: I live in Rome.",
    "Generate a dialogue. I own a Ferrari.",
];

/// Words of others.
const WORDS_OF_OTHERS: &[&str] = &[
    "She said I live in Oslo.",
    "He told me I am allergic to nuts.",
    "My friend said, I live in Rome.",
    "My doctor says: I have asthma.",
    "She wrote \"I live in Oslo with my cats\".",
    "\"I am a nurse and I live in Oslo,\" she said.",
    "They think I'm a spy.",
    "Tom says I have a car.",
    "The book that I love is here.",
    "> I live in Oslo.",
    "<memory>I live in Oslo.</memory>",
    "<retrieved_memories>My name is Ada.",
    "From memory: I live in Oslo.",
    "{\"memory_id\": \"1\", \"text\": \"I live in Oslo.\"}",
    "Relevant memories: I live in Oslo.",
    "```My name is Ada.```",
    "(image description: I have a dog)",
    "[image: my cat Tom]",
    "[INFO] I am a server at Acme",
    "2026-05-01T10:00:00 I live in Oslo",
];

/// Others and orders.
const OTHERS_AND_ORDERS: &[&str] = &[
    "You live in Oslo.",
    "He is a nurse.",
    "Your sister Anna lives in Oslo.",
    "The manager has two cats.",
    "Call me tomorrow.",
    "Tell me about my city.",
    "Buy milk tomorrow.",
    "Show me how I can play the piano.",
    "Let me know when I can visit Rome.",
    "Remember when we went to Rome?",
    "Remember, it takes time.",
    "Remember to be kind to yourself.",
    "Don't forget to breathe.",
    "Note that you should rest.",
    "Do you remember my name?",
    "It is a nice day.",
    "There is a dog in my yard.",
    "Someone like me lives in Oslo.",
];

/// Negated and idle deeds.
const NEGATED_AND_IDLE_DEEDS: &[&str] = &[
    "I didn't go to Paris.",
    "I'm not going to the party.",
    "I haven't bought a car.",
    "We never visited Rome.",
    "I don't want to move to Oslo.",
    "I won't travel to Spain next week.",
    "I took care of it.",
    "I made sure of that.",
    "I gave it a try.",
    "I got stuck.",
];

/// Secrets.
const SECRETS: &[&str] = &[
    "My password is hunter2.",
    "My name is Ada and my password is hunter2.",
    "I have a card 4111 1111 1111 1111 and a car.",
    "Remember that my api key is sk-proj-abcdEFGH1234567890abcd",
];

/// Nothing.
const NOTHING: &[&str] =
    &["ok", "lol", "...", "I", "My", "I am", "I have a", "My name is", "I live in"];

#[test]
fn moods_and_chit_chat_give_no_fact() {
    check_silent(MOODS_AND_CHIT_CHAT);
}

#[test]
fn questions_give_no_fact() {
    check_silent(QUESTIONS);
}

#[test]
fn conditions_and_wishes_give_no_fact() {
    check_silent(CONDITIONS_AND_WISHES);
}

#[test]
fn role_play_and_texts_to_be_worked_on_give_no_fact() {
    check_silent(ROLE_PLAY_AND_TEXTS_TO_BE_WORKED_ON);
}

#[test]
fn words_of_others_give_no_fact() {
    check_silent(WORDS_OF_OTHERS);
}

#[test]
fn others_and_orders_give_no_fact() {
    check_silent(OTHERS_AND_ORDERS);
}

#[test]
fn negated_and_idle_deeds_give_no_fact() {
    check_silent(NEGATED_AND_IDLE_DEEDS);
}

#[test]
fn secrets_give_no_fact() {
    check_silent(SECRETS);
}

#[test]
fn nothing_give_no_fact() {
    check_silent(NOTHING);
}
