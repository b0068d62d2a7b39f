//! What was done, what is planned and what is wanted, with its days.

use super::check;

/// What was done.
const DONE: &[(&str, &[&str])] = &[
    (
        "I went to a support group yesterday.",
        &["event/go support group = went to a support group @2026-05-12..2026-05-13"],
    ),
    ("I went to Paris last summer.", &["trip/pari = Paris @2025-06-01..2025-09-01"]),
    (
        "I visited my grandparents in June.",
        &["event/visit grandpar = visited my grandparents @2025-06-01..2025-07-01"],
    ),
    ("I've been to Japan twice.", &["trip/japan twice = Japan twice"]),
    ("I have never been to Japan.", &["trip/japan = Japan not"]),
    ("Got back from a tour of Iceland.", &["trip/tour iceland = tour of Iceland"]),
    ("I flew to Madrid on Monday.", &["trip/madrid = Madrid @2026-05-11..2026-05-12"]),
    ("Last year I was in Turkey.", &["trip/turkey = Turkey @2025-01-01..2026-01-01"]),
    (
        "We went on a road trip in 2021.",
        &["trip/go road trip = went on a road trip @2021-01-01..2022-01-01"],
    ),
    (
        "We took a trip to Rome two years ago.",
        &["trip/take trip rome = took a trip to Rome @2024-01-01..2025-01-01"],
    ),
    (
        "I bought a new laptop yesterday.",
        &["purchase/new laptop = new laptop @2026-05-12..2026-05-13"],
    ),
    ("I ordered a desk last week.", &["purchase/desk = desk @2026-05-04..2026-05-11"]),
    (
        "I got a new camera for my birthday.",
        &["purchase/new camera birthday = new camera for my birthday"],
    ),
    ("I got a dog last month.", &["pet/dog = dog @2026-04-01.."]),
    ("I got married last summer.", &["event/get marri = got married @2025-06-01..2025-09-01"]),
    ("I got promoted yesterday.", &["event/get promot = got promoted @2026-05-12..2026-05-13"]),
    (
        "I lost my licence last month.",
        &["event/lose licenc = lost my licence @2026-04-01..2026-05-01"],
    ),
    ("I quit my job.", &["event/quit job = quit my job"]),
    (
        "I started a new job on Monday.",
        &["event/start new job = started a new job @2026-05-11..2026-05-12"],
    ),
    ("I joined a gym.", &["event/join gym = joined a gym"]),
    (
        "I signed up for a welding course.",
        &["event/sign up weld cours = signed up for a welding course"],
    ),
    (
        "I finished reading \"Dune\" last night.",
        &["event/finish read dune = finished reading \"Dune\" @2026-05-12..2026-05-13"],
    ),
    ("I won a chess tournament.", &["event/win chess tournament = won a chess tournament"]),
    (
        "I ran a marathon in April.",
        &["event/run marathon = ran a marathon @2026-04-01..2026-05-01"],
    ),
    (
        "I recently read a book about octopuses.",
        &["event/read book about octopus = read a book about octopuses"],
    ),
    (
        "I adopted a rescue dog three weeks ago.",
        &["event/adopt rescu dog = adopted a rescue dog @2026-04-20..2026-04-27"],
    ),
    ("I painted a mural with my kids.", &["event/paint mural kid = painted a mural with my kids"]),
    ("We made a birthday cake.", &["event/make birthday cake = made a birthday cake"]),
    (
        "I graduated from Stanford in 2018.",
        &["event/graduat stanford = graduated from Stanford @2018-01-01..2019-01-01"],
    ),
    (
        "I attended a wedding last weekend.",
        &["event/attend wed = attended a wedding @2026-05-09..2026-05-11"],
    ),
    ("I hurt my knee.", &["event/hurt knee = hurt my knee"]),
    (
        "Went hiking with the kids yesterday.",
        &["event/go hike kid = Went hiking with the kids @2026-05-12..2026-05-13"],
    ),
    ("Been learning the cello.", &["skill/learn cello = learning the cello"]),
    (
        "My car broke down last Friday.",
        &["event/car break down = My car broke down @2026-05-08..2026-05-09"],
    ),
    (
        "I passed my driving test today.",
        &["event/pass drive test = passed my driving test @2026-05-13..2026-05-14"],
    ),
    (
        "I organized a charity run this weekend.",
        &["event/organiz chariti run = organized a charity run @2026-05-09..2026-05-11"],
    ),
    (
        "I taught my son how to ride a bike.",
        &["event/teach son ride bike = taught my son how to ride a bike"],
    ),
    (
        "We moved into a new apartment in March.",
        &["event/move new apart = moved into a new apartment @2026-03-01..2026-04-01"],
    ),
    ("When I was ten, we moved to Canada.", &["event/move canada = moved to Canada"]),
    ("The other day I met a famous author.", &["event/meet famous author = met a famous author"]),
    (
        "I was hiking in the Alps last week.",
        &["event/hike alp = hiking in the Alps @2026-05-04..2026-05-11"],
    ),
    (
        "I saw a bear the day before yesterday.",
        &["event/see bear = saw a bear @2026-05-11..2026-05-12"],
    ),
    (
        "I started a blog in early 2020.",
        &["event/start blog = started a blog @2020-01-01..2021-01-01"],
    ),
    (
        "I published my first novel on 12 January 2024.",
        &["event/publish first novel = published my first novel @2024-01-12..2024-01-13"],
    ),
    (
        "I published my first novel on January 12, 2024.",
        &["event/publish first novel = published my first novel @2024-01-12..2024-01-13"],
    ),
    ("I had surgery on 2026-04-01.", &["event/surgeri = had surgery @2026-04-01..2026-04-02"]),
    (
        "I've volunteered at a shelter since last year.",
        &["event/volunt shelter = volunteered at a shelter @2025-01-01.."],
    ),
];

/// What is planned.
const PLANNED: &[(&str, &[&str])] = &[
    (
        "I'm going to a conference next month.",
        &["plan/go confer = going to a conference @2026-06-01..2026-07-01"],
    ),
    (
        "I'm going to visit my aunt tomorrow.",
        &["plan/visit aunt = visit my aunt @2026-05-14..2026-05-15"],
    ),
    (
        "I'll visit Berlin in two weeks.",
        &["plan/visit berlin = visit Berlin @2026-05-25..2026-06-01"],
    ),
    ("I'm planning a trip to Norway.", &["plan/trip norway = trip to Norway @..2026-08-11"]),
    (
        "I'm planning to run a half marathon in October.",
        &["plan/run half marathon = run a half marathon @2026-10-01..2026-11-01"],
    ),
    ("I'm thinking about adopting a cat.", &["plan/adopt cat = adopting a cat @..2026-08-11"]),
    (
        "We're getting married next June.",
        &["plan/get marri = getting married @2026-06-01..2026-07-01"],
    ),
    (
        "I have a job interview next Tuesday.",
        &["plan/job interview = job interview @2026-05-19..2026-05-20"],
    ),
    (
        "I have a dentist appointment on Friday.",
        &["plan/dentist appoint = dentist appointment @2026-05-15..2026-05-16"],
    ),
    (
        "I'm flying to Lisbon on 20 May.",
        &["plan/fli lisbon = flying to Lisbon @2026-05-20..2026-05-21"],
    ),
    ("I plan to retire in three years.", &["plan/retir = retire @2029-01-01..2030-01-01"]),
    (
        "Looking forward to visiting Athens this summer.",
        &["plan/visit athen = visiting Athens @2026-06-01..2026-09-01"],
    ),
    ("I decided to learn sailing.", &["plan/learn sail = learn sailing @..2026-08-11"]),
    (
        "On Monday, I decided to restore a tractor.",
        &["plan/restor tractor = restore a tractor @..2026-08-11"],
    ),
    ("We're off to Chile next month.", &["plan/chile = Chile @2026-06-01..2026-07-01"]),
    (
        "I'm starting a new job next week.",
        &["plan/start new job = starting a new job @2026-05-18..2026-05-25"],
    ),
    (
        "We're moving to Spain in September.",
        &["plan/move spain = moving to Spain @2026-09-01..2026-10-01"],
    ),
    ("I'm meeting Sara tonight.", &["plan/meet sara = meeting Sara @2026-05-13..2026-05-14"]),
];

/// What is wanted.
const WANTED: &[(&str, &[&str])] = &[
    ("I want to learn Japanese.", &["goal/learn japanes = learn Japanese"]),
    ("My dream is to open a bakery.", &["goal/open bakeri = open a bakery"]),
    ("My goal is to run a marathon.", &["goal/run marathon = run a marathon"]),
    ("I hope to become a surgeon.", &["goal/becom surgeon = become a surgeon"]),
    ("I want to visit Peru next year.", &["plan/visit peru = visit Peru @2027-01-01..2028-01-01"]),
    ("I'm saving up for a house.", &["goal/save up hous = saving up for a house"]),
    ("I've always wanted to write a novel.", &["goal/write novel = write a novel"]),
    (
        "We celebrated our anniversary on Saturday.",
        &["event/celebr our anniversari = celebrated our anniversary @2026-05-09..2026-05-10"],
    ),
    ("I bought two tickets to Toronto.", &["purchase/two ticket toronto = two tickets to Toronto"]),
    (
        "My brother Leo got married in May 2025.",
        &["family/brother/leo/get marri = brother Leo got married @2025-05-01.."],
    ),
    ("I applied for a job at NASA.", &["event/appli job nasa = applied for a job at NASA"]),
    ("I retired last year.", &["event/retir = retired @2025-01-01..2026-01-01"]),
    (
        "I donated blood this morning.",
        &["event/donat blood = donated blood @2026-05-13..2026-05-14"],
    ),
    (
        "I saw Hamlet in London last night.",
        &["event/see hamlet london = saw Hamlet in London @2026-05-12..2026-05-13"],
    ),
    (
        "I became a father in 2020.",
        &["event/becom father = became a father @2020-01-01..2021-01-01"],
    ),
    ("Finally finished my thesis!", &["event/finish thesi = finished my thesis"]),
    (
        "Signed up for a marathon yesterday.",
        &["event/sign up marathon = Signed up for a marathon @2026-05-12..2026-05-13"],
    ),
    (
        "Planning to visit my parents next weekend.",
        &["plan/visit parent = visit my parents @2026-05-23..2026-05-25"],
    ),
    (
        "I'm going to run the Boston Marathon in April.",
        &["plan/run boston marathon = run the Boston Marathon @2027-04-01..2027-05-01"],
    ),
    ("I intend to apply for a visa.", &["plan/appli visa = apply for a visa @..2026-08-11"]),
    ("I'm considering moving to Dublin.", &["plan/move dublin = moving to Dublin @..2026-08-11"]),
    (
        "I hope to climb Kilimanjaro someday.",
        &["goal/climb kilimanjaro someday = climb Kilimanjaro someday"],
    ),
    ("I dream of opening a small hotel.", &["goal/open small hotel = opening a small hotel"]),
];

/// Of all kinds, written later than the tables.
const MORE: &[(&str, &[&str])] = &[
    (
        "I have been to Spain, Italy and Greece.",
        &["trip/spain itali greec = Spain, Italy and Greece"],
    ),
    ("I'm watching The Crown.", &["event/watch crown = watching The Crown"]),
    ("I watched Dune on Friday.", &["event/watch dune = watched Dune @2026-05-08..2026-05-09"]),
    (
        "I saw the new Batman movie with my brother last night.",
        &[
            "event/see new batman movi brother = saw the new Batman movie with my brother @2026-05-12..2026-05-13",
        ],
    ),
    (
        "I lost my wallet on the train yesterday.",
        &["event/lose wallet train = lost my wallet on the train @2026-05-12..2026-05-13"],
    ),
    (
        "I left my job at Meta last month.",
        &["event/leav job meta = left my job at Meta @2026-04-01..2026-05-01"],
    ),
    ("I got laid off in March.", &["event/get lay off = got laid off @2026-03-01..2026-04-01"]),
    ("I got into Stanford!", &["event/get stanford = got into Stanford"]),
    (
        "I got accepted to law school.",
        &["event/get accept law school = got accepted to law school"],
    ),
    ("I passed the bar exam.", &["event/pass bar exam = passed the bar exam"]),
    ("I'm applying to grad schools.", &["event/appli grad school = applying to grad schools"]),
    ("I'm saving money for a house.", &["goal/save money hous = saving money for a house"]),
    (
        "I plan on visiting Kyoto next April.",
        &["plan/visit kyoto = visiting Kyoto @2027-04-01..2027-05-01"],
    ),
    ("I'm going camping this weekend.", &["plan/go camp = going camping @2026-05-16..2026-05-18"]),
    ("Going camping next weekend.", &["plan/go camp = Going camping @2026-05-23..2026-05-25"]),
    (
        "I'm seeing the dentist tomorrow.",
        &["plan/see dentist = seeing the dentist @2026-05-14..2026-05-15"],
    ),
    ("I booked a hotel in Rome.", &["plan/book hotel rome = booked a hotel in Rome @..2026-08-11"]),
    (
        "I inherited a house from my aunt.",
        &["event/inherit hous aunt = inherited a house from my aunt"],
    ),
    ("I sold my car last week.", &["event/sell car = sold my car @2026-05-04..2026-05-11"]),
    (
        "I bought my wife a necklace for our anniversary.",
        &["purchase/necklac our anniversari = necklace for our anniversary"],
    ),
    (
        "I gave my mom a book for Christmas.",
        &["event/give mom book christma = gave my mom a book for Christmas"],
    ),
    ("I received a scholarship.", &["event/receiv scholarship = received a scholarship"]),
    (
        "I was promoted to manager last month.",
        &["event/promot manag = promoted to manager @2026-04-01..2026-05-01"],
    ),
    (
        "I studied architecture in college.",
        &["event/studi architectur colleg = studied architecture in college"],
    ),
    (
        "I'm moving to Denver next month.",
        &["plan/move denver = moving to Denver @2026-06-01..2026-07-01"],
    ),
    ("I'm thinking of moving to Denver.", &["plan/move denver = moving to Denver @..2026-08-11"]),
    (
        "I moved out of my parents' house in 2020.",
        &["event/move out parent hous = moved out of my parents' house @2020-01-01..2021-01-01"],
    ),
    (
        "Last night I had dinner with Sofia at an Italian restaurant.",
        &[
            "event/dinner sofia italian restaur = had dinner with Sofia at an Italian restaurant @2026-05-12..2026-05-13",
        ],
    ),
    (
        "On Saturday we went to the zoo with the kids.",
        &["event/go zoo kid = went to the zoo with the kids @2026-05-09..2026-05-10"],
    ),
    (
        "Back in 2015 I ran my first marathon.",
        &["event/run first marathon = ran my first marathon @2015-01-01..2016-01-01"],
    ),
    (
        "In 2019, I started a company with my brother.",
        &[
            "event/start compani brother = started a company with my brother @2019-01-01..2020-01-01",
        ],
    ),
    ("I turned 30 last week.", &["event/turn 30 = turned 30 @2026-05-04..2026-05-11"]),
    (
        "I had my appendix removed last year.",
        &["event/appendix remov = had my appendix removed @2025-01-01..2026-01-01"],
    ),
    (
        "I had knee surgery in January.",
        &["event/knee surgeri = had knee surgery @2026-01-01..2026-02-01"],
    ),
    ("I hope to visit Iceland one day.", &["goal/visit iceland one day = visit Iceland one day"]),
    ("My dream is becoming a pilot.", &["goal/becom pilot = becoming a pilot"]),
    ("I want to run a marathon before I turn 40.", &["goal/run marathon = run a marathon"]),
    (
        "I'm working on a React app and I get a 404 error.",
        &["event/work react app = working on a React app"],
    ),
    (
        "I'm building a chat app for my startup.",
        &["event/build chat app startup = building a chat app for my startup"],
    ),
    (
        "I'm writing a novel about dragons.",
        &["event/write novel about dragon = writing a novel about dragons"],
    ),
    (
        "I have a meeting at 3pm tomorrow.",
        &["plan/meet 3pm = meeting at 3pm @2026-05-14..2026-05-15"],
    ),
    ("I ordered pizza.", &["purchase/pizza = pizza"]),
    ("I got a flat tire.", &["event/get flat tire = got a flat tire"]),
    ("I got divorced last year.", &["event/get divorc = got divorced @2025-01-01..2026-01-01"]),
    ("I adopted the new convention.", &["event/adopt new convent = adopted the new convention"]),
    (
        "I booked a flight to Rome for 3 June.",
        &["plan/book flight rome = booked a flight to Rome @2026-06-03..2026-06-04"],
    ),
];

#[test]
fn what_was_done_is_read_with_its_days() {
    check(DONE);
}

#[test]
fn what_is_planned_ends_or_expires() {
    check(PLANNED);
}

#[test]
fn what_is_wanted_is_an_aim() {
    check(WANTED);
}

#[test]
fn what_else_was_done_is_read() {
    check(MORE);
}
