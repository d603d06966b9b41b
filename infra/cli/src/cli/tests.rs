use clap::CommandFactory;
use jiff::Timestamp;
use roundtrip_api::incidents::{IncidentsAnswer, NextCommand};
use roundtrip_domain::code::Code;
use roundtrip_domain::dead_letters::DeadLetter;
use roundtrip_domain::exceptions::{Exception, Found, Incidents, What};
use roundtrip_domain::id::OrderRef;

use super::*;

fn parse(line: &str) -> Result<Cli, clap::Error> {
    Cli::try_parse_from(line.split(' '))
}

#[test]
fn the_arguments_contradict_each_other_nowhere() {
    Cli::command().debug_assert();
}

#[test]
fn options_for_all_commands_may_stand_anywhere() {
    let cli = parse("roundtrip shop show moon.myshopify.com --json --local").unwrap();

    assert!(cli.json && cli.to.local);
    let cli = parse("roundtrip incident --json show 5f3a91c2 --local").unwrap();
    assert!(cli.json && cli.to.local);
    let Command::Incident(IncidentArgs { command: Some(IncidentCommand::Show { cause, .. }), .. }) = cli.command else {
        panic!("{cli:?}")
    };
    assert_eq!(cause, "5f3a91c2");
}

#[test]
fn what_an_alarm_says_to_type_can_be_typed() {
    let alarms = include_str!("../../../alarms.yaml");
    let descriptions = alarms.lines().filter_map(|line| line.trim_start().strip_prefix("AlarmDescription: "));
    let commands: Vec<&str> = descriptions.filter_map(|it| it.split(" - ").nth(2)).collect();
    let ours: Vec<&str> = commands.into_iter().filter(|command| command.starts_with("roundtrip ")).collect();

    assert!(ours.len() > 5, "{ours:?}");
    for command in ours {
        parse(command).unwrap_or_else(|error| panic!("{command}: {error}"));
    }
}

#[test]
fn what_an_incident_says_to_type_can_be_typed() {
    let at = Timestamp::UNIX_EPOCH;
    let letter = |id: &str, code| {
        let id = id.parse().unwrap();
        let (first_failure, last_failure) = (None, None);
        What::Parked(DeadLetter { id, code, parked_at: at, attempts: 1, first_failure, last_failure })
    };
    let warning = serde_json::from_value(serde_json::json!({
        "code": "CANCELLED_AFTER_PUSH", "source": "sun.myshopify.com", "detail": "cancel it there too",
        "source_order": { "id": "9", "name": "#9" }, "since": at,
    }));
    let order = OrderRef { shop: "moon.myshopify.com".parse().unwrap(), id: OrderId::new(42) };
    let mut typed = std::collections::BTreeSet::new();
    for what in [
        letter("moon.myshopify.com/42/push/sun.myshopify.com/1@0", Code::Rejected),
        letter("moon.myshopify.com/42/writeback/sun.myshopify.com/7/9@3", Code::OrderCancelled),
        letter("moon.myshopify.com/resync@0", Code::Unknown),
        What::Warned { order, name: "#42".into(), warning: warning.unwrap() },
    ] {
        let found = Found { exceptions: vec![Exception { what, owned: None }], more: false };
        let [incident] = &IncidentsAnswer::from(Incidents::of(found)).incidents[..] else { panic!("one cause") };
        for NextCommand { to, command } in &incident.commands {
            let line = command.replace("\"…\"", "why");
            parse(&line).unwrap_or_else(|error| panic!("{to}: {line}: {error}"));
            typed.insert(to.clone());
        }
    }
    let all = ["dismiss one", "purge", "redrive", "see", "take", "test one"].map(str::to_owned);
    assert_eq!(typed, all.into());
}

#[test]
fn what_does_not_parse_is_told_before_anything_is_asked() {
    for (line, told) in [
        ("roundtrip shop show moon", "moon-shop.myshopify.com"),
        ("roundtrip order show moon.myshopify.com #1001", "give the number"),
        ("roundtrip order list moon.myshopify.com --tab open", "not-pushed, partially-pushed"),
        ("roundtrip order list moon.myshopify.com --limit 251", "1..=250"),
        ("roundtrip link moon.myshopify.com sun.myshopify.com", "VARIANT=VARIANT"),
        ("roundtrip link moon.myshopify.com sun.myshopify.com 1-2", "12=34"),
        ("roundtrip link moon.myshopify.com sun.myshopify.com 1=2 --csv f", "--csv"),
        ("roundtrip connect moon.myshopify.com sun.myshopify.com --auto-push yes", "on, off"),
        ("roundtrip connect moon.myshopify.com sun.myshopify.com --grace soon", "10m, 1h30m"),
        ("roundtrip connect moon.myshopify.com sun.myshopify.com --without-tracking ask", "wait, fulfil-now"),
        ("roundtrip connect moon.myshopify.com sun.myshopify.com --unit-price half", "80%"),
        ("roundtrip shop settings moon.myshopify.com --shipping-rate 10", "100.00=10.00"),
        ("roundtrip shop settings moon.myshopify.com --email-contact nobody", "customer, admin"),
        ("roundtrip shop locations moon.myshopify.com sun.myshopify.com=7", "name its location too"),
        ("roundtrip shop locations moon.myshopify.com WH2=7 --clear", "--clear"),
        ("roundtrip label add moon.myshopify.com 42 se-1", "--number"),
        ("roundtrip label add moon.myshopify.com 42 se/1 --number 1Z", "1 to 64 letters"),
        ("roundtrip label add moon.myshopify.com 42 se-1 --number 1Z --line 7", "<line id>=<how many>"),
        ("roundtrip label void moon.myshopify.com 42", "LABEL"),
    ] {
        let error = parse(line).unwrap_err();
        assert_eq!(error.exit_code(), 2, "{line}");
        assert!(error.to_string().contains(told), "{line}: {error}");
    }
}

#[test]
fn a_label_may_have_several_numbers_and_lines() {
    let line = "roundtrip label add moon.myshopify.com 42 se-1 --number 1Z1 --line 7=2 --number 1Z2 --line 8=1";

    let Command::Label(LabelCommand::Add(label)) = parse(line).unwrap().command else { panic!("{line}") };

    assert_eq!((label.numbers.len(), label.lines.len(), label.no_mail), (2, 2, false));
}

#[test]
fn a_token_in_the_environment_is_not_shown_in_the_help() {
    let token = Cli::command().get_arguments().find(|arg| arg.get_id() == "token").cloned().unwrap();

    assert!(token.is_hide_env_values_set());
}

const README: &str = include_str!("../../../../README.md");

/// Words as a shell parts them, as far as the README needs it.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for letter in line.chars() {
        match letter {
            '"' => quoted = !quoted,
            '#' if !quoted && words.last().is_some_and(String::is_empty) => break,
            ' ' if !quoted => words.push(String::new()),
            _ => words.last_mut().unwrap().push(letter),
        }
    }
    words.into_iter().filter(|word| !word.is_empty()).collect()
}

#[test]
fn every_command_of_the_readme_can_be_typed() {
    let lines = README.lines().map(|line| line.trim_start().trim_start_matches("$ "));
    let commands: Vec<&str> = lines.filter(|line| line.starts_with("roundtrip ")).collect();

    assert!(commands.len() > 20, "{}", commands.len());
    for line in commands {
        if let Err(error) = Cli::try_parse_from(words(line)) {
            panic!("{line}: {error}");
        }
    }
}

#[test]
fn the_readme_lists_every_setting() {
    let rows = |heading: &str| {
        let table = README.split(heading).nth(1).unwrap().lines().skip(1).take_while(|line| line.starts_with('|'));
        let options = table.filter_map(|row| row.split("`--").nth(1)?.split([' ', '`']).next().map(ToOwned::to_owned));
        options.collect::<std::collections::BTreeSet<String>>()
    };
    let known = |command: &str| {
        let cli = <Cli as clap::CommandFactory>::command();
        let command = command.split(' ').fold(cli, |cli, name| cli.find_subcommand(name).unwrap().clone());
        let options = command.get_arguments().filter_map(|it| it.get_long()).map(ToOwned::to_owned);
        options.collect::<std::collections::BTreeSet<String>>()
    };

    let of_store: std::collections::BTreeSet<String> = known("shop settings");
    let beside =
        ["versions", "include-existing", "dry-run", "no-shipping-rates", "no-owners"].map(str::to_owned).into();
    assert_eq!(rows("| of a store: `shop settings` |"), &of_store - &beside);
    assert_eq!(rows("| of a connection: `connect` |"), known("connect"));
}
