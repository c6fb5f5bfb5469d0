//! Every kind of bad configuration is refused before anything is written: code 2, one message with place and value.

mod common;

use birth_death_simulate::config::{Config, MAX_CONFIG_BYTES, MAX_CSV_BYTES};
use common::{PRIOR, Place, UNITS, units};

/// Runs the binary on the text and gives its message; all that must hold of every refusal is checked here.
fn refusal(place: &Place, text: &str) -> String {
    place.put("a.toml", text);
    let before = place.names();
    let output = place.birth_death(&["run", "a.toml"]);
    let message = String::from_utf8(output.stderr).expect("text");
    assert_eq!(output.status.code(), Some(2), "{message}\n{text}");
    assert_eq!(output.stdout, b"", "{message}");
    assert_eq!(message.lines().count(), 1, "one message: {message}");
    assert!(message.contains("accepted"), "{message}");
    assert_eq!(place.names(), before, "nothing is written: {message}");
    message
}

/// The message of the library for a text: the same without a process.
fn message(text: &str) -> String {
    let place = Place::new();
    let path = place.put("a.toml", text);
    let message = Config::load(&path).expect_err(text).to_string();
    assert!(message.contains("accepted"), "{message}");
    assert!(message.contains("a.toml"), "{message}");
    assert!(!message.contains('\n'), "{message}");
    message
}

fn check(message: &str, parts: &[&str]) {
    for part in parts {
        assert!(message.contains(part), "\"{part}\" is not in: {message}");
    }
}

#[test]
fn the_configuration_that_all_others_vary_is_accepted() {
    let place = Place::new();
    let path = place.put("a.toml", UNITS);
    let config = Config::load(&path).expect("accepted");
    assert_eq!((config.particles, config.recorded_steps()), (20, 4));
}

#[test]
fn misspelt_keys_are_named_with_the_nearest_valid_one() {
    for (from, to, line, nearest) in [
        ("particles", "particels", 2, "particles"),
        ("record_every", "record-every", 11, "record_every"),
        ("unit_variance", "unit_varience", 16, "unit_variance"),
        ("variance = 0.5 }", "varianse = 0.5 }", 17, "variance"),
        ("[start]", "[strat]", 18, "start"),
        ("y1 =", "y2 =", 20, "y1"),
        ("low =", "lo =", 20, "low"),
        ("normal =", "nromal =", 19, "normal"),
        ("sd =", "std =", 19, "sd"),
    ] {
        let message = message(&units(&[(from, to)]));
        let line = format!("a.toml:{line}:");
        check(&message, &[&line, "unknown key", &format!("nearest valid key is \"{nearest}\"")]);
    }
    let message = message(&format!("{UNITS}replicates = 3\n"));
    check(&message, &["start.replicates", "before the first [table]"]);
}

#[test]
fn misspelt_words_are_named_with_the_nearest_valid_one() {
    for (from, to, nearest) in [
        ("\"birth-death\"", "\"birth_death\"", "birth-death"),
        ("\"centred\"", "\"centered\"", "centred"),
        ("\"f64\"", "\"f46\"", "f64"),
        ("\"gaussian-units\"", "\"gausian-units\"", "gaussian-units"),
    ] {
        let message = message(&units(&[(from, to)]));
        check(&message, &[to, &format!("nearest is \"{nearest}\"")]);
    }
}

#[test]
fn bad_numbers_are_named_with_their_path_line_and_value() {
    for (from, to, parts) in [
        ("seed = 1", "seed = -1", ["a.toml:1:", "seed = -1"]),
        ("seed = 1", "seed = 9223372036854775808", ["a.toml:1:", "9223372036854775808"]),
        ("seed = 1", "seed = 1.0", ["seed = 1.0", "an integer"]),
        ("particles = 20", "particles = 0", ["a.toml:2:", "particles = 0"]),
        ("particles = 20", "particles = 1000001", ["1000001", "from 1 to 1000000"]),
        ("steps = 30", "steps = -1", ["a.toml:3:", "steps = -1"]),
        ("dt = 0.01", "dt = -0.01", ["a.toml:4:", "dt = -0.01"]),
        ("dt = 0.01", "dt = nan", ["dt = nan", "finite"]),
        ("dt = 0.01", "dt = inf", ["dt = inf", "finite"]),
        ("dt = 0.01", "dt = 1e400", ["dt = 1e400", "finite"]),
        ("dt = 0.01", "dt = \"0.01\"", ["dt = \"0.01\"", "finite"]),
        ("alpha = 5.0", "alpha = -5", ["alpha = -5", "0 or more"]),
        ("transport = true", "transport = 1", ["transport = 1", "true or false"]),
        ("quench = 0", "quench = 31", ["quench = 31", "from 0 to 30"]),
        ("record_every = 10", "record_every = 0", ["record_every = 0", "from 1"]),
        ("replicates = 3", "replicates = 0", ["replicates = 0", "from 1"]),
        ("replicates = 3", "replicates = true", ["replicates = true", "from 1"]),
        ("dimension = 1", "dimension = 0", ["model.dimension = 0", "from 1"]),
        ("dimension = 1", "dimension = 2", ["model.target[0].centre = [-2.0]", "2 numbers"]),
        ("unit_variance = 0.5", "unit_variance = 0", ["model.unit_variance = 0", "above 0"]),
        ("variance = 1.0", "variance = -0.5", ["a.toml:17: model.target[1].variance = -0.5", "above 0"]),
        ("centre = [0.0]", "centre = []", ["model.target[1].centre = []", "one a dimension"]),
        ("centre = [0.0]", "centre = 0.0", ["model.target[1].centre = 0.0", "a list"]),
        ("sd = 1.0", "sd = -1.0", ["start.c.normal.sd = -1.0", "0 or more"]),
        ("high = 2.0", "high = -3.0", ["start.y1.uniform.high = -3.0", "not below low = -2.0"]),
        ("{ normal = { mean = 0.0, sd = 1.0 } }", "nan", ["start.c = nan", "finite"]),
        ("{ normal = { mean = 0.0, sd = 1.0 } }", "{}", ["start.c = {}", "uniform"]),
        ("precision = \"f64\"", "precision = 64", ["precision = 64", "f32"]),
    ] {
        check(&message(&units(&[(from, to)])), &parts);
    }
}

#[test]
fn missing_keys_and_components_are_named() {
    for (from, missing) in [
        ("seed = 1\n", "seed"),
        ("particles = 20\n", "particles"),
        ("steps = 30\n", "steps"),
        ("dt = 0.01\n", "dt"),
        ("alpha = 5.0\n", "alpha"),
        ("scheme = \"birth-death\"\n", "scheme"),
        ("kind = \"gaussian-units\"\n", "model.kind"),
        ("dimension = 1\n", "model.dimension"),
        ("unit_variance = 0.5\n", "model.unit_variance"),
        ("weight = 0.33, ", "model.target[0].weight"),
        ("c = { normal = { mean = 0.0, sd = 1.0 } }\n", "start.c"),
        ("low = -2.0, ", "start.y1.uniform.low"),
    ] {
        let message = message(&units(&[(from, "")]));
        check(&message, &[&format!("missing key \"{missing}\"")]);
    }
    check(&message(""), &["a.toml", "missing key"]);
}

#[test]
fn a_key_of_the_whole_run_in_a_table_is_found_there() {
    let gone = ("seed = 1\n", "");
    for (from, to, place) in [
        ("[model]\n", "[model]\nseed = 1\n", "a.toml:13: missing key \"seed\": it stands here as \"model.seed\""),
        ("low = -2.0", "seed = 1, low = -2.0", "\"start.y1.uniform.seed\""),
        ("weight = -0.66", "seed = 1, weight = -0.66", "\"model.target[1].seed\""),
    ] {
        check(&message(&units(&[gone, (from, to)])), &[place, "before the first [table]"]);
    }
    let array = units(&[gone]).split("target").next().expect("the part before the target").to_owned();
    let array = array + "[[model.target]]\nweight = 1\n[[model.target]]\nweight = 2\nseed = 1\n";
    check(&message(&array), &["a.toml:20:", "\"model.target[1].seed\""]);
}

#[test]
fn a_misspelt_key_is_named_before_the_kind_that_is_missing() {
    for (from, to, nearest) in [
        ("kind = ", "kidn = ", "kind"),
        ("kind = \"gaussian-units\"\nd", "D", "dimension"),
        ("kind = ", "type = ", "tilt"),
    ] {
        check(&message(&units(&[(from, to)])), &["unknown key", &format!("nearest valid key is \"{nearest}\"")]);
    }
}

#[test]
fn keys_that_contradict_each_other_are_refused() {
    let reinjection = ("\"birth-death\"", "\"reinjection\"");
    let flow = ("\"birth-death\"", "\"gradient-flow\"");
    let raw = ("\"centred\"", "\"raw\"");
    let text = units(&[reinjection]) + PRIOR;
    check(&message(&text), &["a.toml:7:", "rate = \"centred\"", "\"raw\""]);
    check(&message(&units(&[reinjection, raw])), &["missing key \"prior\""]);
    check(&message(&(UNITS.to_owned() + PRIOR)), &["prior"]);
    check(&message(&units(&[flow])), &["a.toml:5:", "alpha = 5.0", "only 0.0"]);
    let still = [flow, ("alpha = 5.0", "alpha = 0"), ("transport = true", "transport = false")];
    check(&message(&units(&still)), &["transport = false", "nothing moves"]);
    let text = units(&[reinjection, raw]) + &PRIOR.replace("c = 0.0\n", "");
    check(&message(&text), &["missing key \"prior.c\""]);
    let text = units(&[reinjection, raw]) + "[prior]\nfile = \"prior.csv\"\n";
    check(&message(&text), &["unknown key \"prior.file\""]);
    let many = [("steps = 30", "steps = 9000000000"), ("record_every = 10\n", "")];
    check(&message(&units(&many)), &["record_every", "1351"]);
}

#[test]
fn numbers_must_be_finite_in_the_precision_of_the_run() {
    let narrow = ("\"f64\"", "\"f32\"");
    check(&message(&units(&[narrow, ("dt = 0.01", "dt = 1e39")])), &["dt = 1e39", "in f32 too"]);
    let tiny = ("unit_variance = 0.5", "unit_variance = 1e-60");
    check(&message(&units(&[narrow, tiny])), &["model.unit_variance = 1e-60", "not representable in f32"]);
    check(&message(&units(&[narrow, ("alpha = 5.0", "alpha = 1e39")])), &["alpha = 1e39", "not representable in f32"]);
    check(&message(&units(&[narrow, ("alpha = 5.0", "alpha = -1")])), &["alpha = -1", "0 or more, in f32 too"]);
    for (from, to) in [
        ("dt = 0.01", "dt = 1e-50"),
        ("alpha = 5.0", "alpha = 1e-46"),
        ("sd = 1.0", "sd = 1e-60"),
        ("variance = 1.0", "variance = 1e-60"),
    ] {
        check(&message(&units(&[narrow, (from, to)])), &[to, "not representable in f32"]);
    }
    // The smallest of f32, and what rounds to it, are above 0.
    let place = Place::new();
    Config::load(&place.put("a.toml", units(&[narrow, ("dt = 0.01", "dt = 1e-45")]))).expect("accepted");
    for (to, accepted) in [("0e-400", true), ("0", true), ("1e-50", true), ("5e-324", true), ("1e-400", false)] {
        let text = units(&[("dt = 0.01", &format!("dt = {to}"))]);
        assert_eq!(Config::load(&place.put("a.toml", text)).is_ok(), accepted, "{to}");
    }
    check(&message(&units(&[("dt = 0.01", "dt = 1e-400")])), &["dt = 1e-400", "not representable in f64"]);
}

/// The units replaced by another model and start, in one component.
fn model(model: &str) -> String {
    let top = UNITS.split("[model]").next().expect("the part before the model");
    format!("{top}[model]\n{model}\n[start]\nx1 = 0.5\n")
}

#[test]
fn the_other_models_are_checked_too() {
    for (text, parts) in [
        ("kind = \"quadratic\"", ["model.curvature", "missing"]),
        ("kind = \"quadratic\"\ncurvature = []", ["model.curvature = []", "a list"]),
        ("kind = \"quadratic\"\ncurvature = [1.0, inf]", ["model.curvature[1] = inf", "finite"]),
        ("kind = \"quadratic\"\ncurvature = [1.0, 2.0]", ["start.x2", "missing"]),
        ("kind = \"quadratic\"\ndimension = 2\ncurvature = [1.0]", ["model.dimension = 2", "1, as in curvature"]),
        ("kind = \"double-well\"", ["model.tilt", "missing"]),
        ("kind = \"double-well\"\ntilt = 0.2\namplitude = 1.0", ["model.amplitude", "double-well"]),
        ("kind = \"rastrigin\"\ndimension = 1", ["model.amplitude", "missing"]),
        ("kind = \"rastrigin\"\namplitude = 1.0", ["model.dimension", "missing"]),
        ("kind = \"mmd\"", ["model.sample", "exactly one of"]),
        ("kind = \"mmd\"\nsample = \"a.csv\"\ntarget = []", ["model.sample = \"a.csv\"", "here are both"]),
        ("kind = \"mmd\"\ntarget = []", ["model.target = []", "a list of"]),
        ("kind = \"mmd\"\nbandwidth = 0.0\ntarget = []", ["model.bandwidth = 0.0", "above 0"]),
        ("kind = \"mmd\"\nsample = \"none.csv\"", ["model.sample = \"none.csv\"", "cannot be read"]),
        ("kind = \"mmd\"\nsample = 3", ["model.sample = 3", "a CSV file"]),
    ] {
        check(&message(&model(text)), &parts);
    }
    let two = "kind = \"mmd\"\ntarget = [{ weight = 1, centre = [0, 0], variance = 1 }, { weight = 1, centre = [0], \
        variance = 1 }]";
    check(&message(&model(two)), &["model.target[1].centre", "2 numbers", "not 1"]);
}

#[test]
fn bad_csv_files_are_refused_with_file_line_and_value() {
    let text = units(&[
        ("particles = 20", "particles = 2"),
        ("c = { normal = { mean = 0.0, sd = 1.0 } }\n", "file = \"start.csv\"\n"),
        ("y1 = { uniform = { low = -2.0, high = 2.0 } }\n", ""),
    ]);
    for (content, parts) in [
        (&b"c,y1\n1,2\n3\n"[..], ["start.csv:3:", "1 fields; accepted: 2"]),
        (b"c,y1\n\n\n1,2\n3,4,5\n", ["start.csv:5:", "3 fields"]),
        (b"c,y1\n1,2\n\n\n3\n", ["start.csv:5:", "1 fields"]),
        (b"", ["start.csv:1:", "is empty"]),
        (b"c,y1\n", ["start.csv:1:", "0 rows"]),
        (b"c,y1\n1,2\n", ["start.csv:2:", "1 rows below the header; accepted: 2"]),
        (b"c,y1\n1,2\n3,4\n5,6\n", ["start.csv:4:", "3 rows"]),
        (b"1,2\n3,4\n", ["start.csv:1:", "unknown column \"1\""]),
        (b"c,y2\n1,2\n3,4\n", ["start.csv:1:", "nearest valid one is \"y1\""]),
        (b"c\n1\n3\n", ["start.csv:1:", "column \"y1\" is missing"]),
        (b"c,y1,c\n1,2,1\n3,4,3\n", ["start.csv:1:", "column \"c\" twice"]),
        (b"c,y1\n1,2\n3,abc\n", ["start.csv:3:", "y1 = \"abc\""]),
        (b"c,y1\n1,2\n3,\n", ["start.csv:3:", "y1 = \"\""]),
        (b"c,y1\n1,nan\n3,4\n", ["start.csv:2:", "y1 = \"nan\""]),
        (b"c,y1\n1,2\ninf,4\n", ["start.csv:3:", "c = \"inf\""]),
        (b"c,y1\n1,2\n1e400,4\n", ["start.csv:3:", "c = \"1e400\""]),
        (b"c,y1\n1,2\n\xff,4\n", ["start.csv:3:", "0xff is not UTF-8"]),
    ] {
        let place = Place::new();
        place.put("start.csv", content);
        check(&refusal(&place, &text), &parts);
    }
    let place = Place::new();
    check(&refusal(&place, &text), &["a.toml:19:", "start.file = \"start.csv\"", "cannot be read"]);
    std::fs::create_dir(place.path().join("start.csv")).expect("made");
    check(&refusal(&place, &text), &["start.csv", "is a folder"]);
    let narrow = text.replace("\"f64\"", "\"f32\"");
    let place = Place::new();
    place.put("start.csv", "c,y1\n1,2\n1e39,4\n");
    check(&refusal(&place, &narrow), &["start.csv:3:", "c = \"1e39\"", "f32"]);
    let beside = text.clone() + "c = 0.0\n";
    check(&refusal(&place, &beside), &["unknown key \"start.c\"", "file"]);
}

#[test]
fn the_binary_refuses_with_code_2_and_one_line() {
    let place = Place::new();
    check(&refusal(&place, &units(&[("particles", "particels")])), &["a.toml:2:", "particels"]);
    check(&refusal(&place, &units(&[("dt = 0.01", "dt = nan")])), &["a.toml:4:", "dt = nan"]);
    check(&refusal(&place, "seed = = 1\n"), &["a.toml:1:", "not TOML"]);
    check(&refusal(&place, "seed = 1\nseed = 2\n"), &["a.toml:2:", "not TOML: duplicate key \"seed\""]);
    check(&refusal(&place, "[model]\nx = { a = 1, a = 2 }\n"), &["a.toml:2:", "duplicate key \"a\""]);
    check(&refusal(&place, "[model]\n[start]\n[model]\n"), &["a.toml:3:", "duplicate key", "model"]);
}

/// Where reading would never end, or fill the memory.
#[cfg(unix)]
#[test]
fn only_regular_files_of_bounded_size_are_read() {
    let place = Place::new();
    let status = std::process::Command::new("mkfifo").arg("pipe").current_dir(place.path()).status().expect("runs");
    assert!(status.success());
    let long = std::fs::File::create(place.path().join("long")).expect("made");
    for (name, part) in [("pipe", "not a regular file"), ("/dev/zero", "not a regular file"), ("long", "bytes")] {
        long.set_len(MAX_CONFIG_BYTES + 1).expect("longer");
        let output = place.birth_death(&["run", name]);
        let text = String::from_utf8(output.stderr).expect("text");
        assert_eq!(output.status.code(), Some(2), "{text}");
        check(&text, &[name, part, "accepted"]);
        // Sparse: it takes no room.
        long.set_len(MAX_CSV_BYTES + 1).expect("longer");
        let sample = model(&format!("kind = \"mmd\"\nsample = \"{name}\""));
        check(&refusal(&place, &sample), &["model.sample", name, part]);
        let start = units(&[("c = { normal = { mean = 0.0, sd = 1.0 } }", &format!("file = \"{name}\""))]);
        let start = start.replace("y1 = { uniform = { low = -2.0, high = 2.0 } }\n", "");
        check(&refusal(&place, &start), &["start.file", name, part]);
    }
    let padded = UNITS.to_owned() + &"#".repeat(usize::try_from(MAX_CONFIG_BYTES).expect("small") - UNITS.len());
    Config::load(&place.put("a.toml", padded)).expect("exactly the limit");
}

#[test]
fn configurations_that_cannot_be_read_are_refused() {
    let place = Place::new();
    for (name, part) in [("none.toml", "cannot be read"), (".", "is a folder")] {
        let output = place.birth_death(&["run", name]);
        let message = String::from_utf8(output.stderr).expect("text");
        assert_eq!(output.status.code(), Some(2));
        check(&message, &[name, part, "accepted"]);
    }
    place.put("a.toml", b"seed = 1\nx = \"\xff\"\n");
    let output = place.birth_death(&["run", "a.toml"]);
    check(&String::from_utf8_lossy(&output.stderr), &["a.toml:2:", "UTF-8"]);
    for bad in [&["run"][..], &["rnu", "a.toml"], &["run", "a.toml", "--threads", "0"], &["--seed", "1"]] {
        assert_eq!(place.birth_death(bad).status.code(), Some(2), "{bad:?}");
    }
    assert_eq!(place.names(), ["a.toml"]);
}

#[test]
fn places_that_cannot_take_a_result_are_refused_before_computing() {
    let place = Place::new();
    place.put("a.toml", UNITS);
    place.put("file", "mine");
    std::fs::create_dir(place.path().join("mine")).expect("made");
    place.put("mine/thesis.tex", "mine");
    let before = place.names();
    for (out, part) in [
        ("mine", "holds \"thesis.tex\""),
        ("file", "is a file"),
        ("file/run", "file/run"),
        (".", "current folder"),
        ("/proc/run", "/proc/run"),
        ("", "--out"),
    ] {
        let output = place.birth_death(&["run", "a.toml", "--out", out]);
        let message = String::from_utf8(output.stderr).expect("text");
        assert_eq!(output.status.code(), Some(2), "{out}: {message}");
        check(&message, &[part]);
        assert_eq!(place.names(), before);
    }
    assert_eq!(place.read("mine/thesis.tex"), "mine");
}

/// A mount point cannot be renamed: said before computing, not after. Where the system lets nobody mount, nothing is
/// tested.
#[cfg(target_os = "linux")]
#[test]
fn a_mount_point_is_refused_before_computing() {
    let place = Place::new();
    place.put("a.toml", UNITS);
    std::fs::create_dir(place.path().join("volume")).expect("made");
    let script = "mount -t tmpfs tmpfs volume || exit 77; exec \"$0\" run a.toml --out volume";
    let output = std::process::Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount", "sh", "-c", script, env!("CARGO_BIN_EXE_birth-death")])
        .current_dir(place.path())
        .output();
    let Ok(output) = output else { return };
    let message = String::from_utf8(output.stderr).expect("text");
    if output.status.code() == Some(77) || message.starts_with("unshare") {
        return;
    }
    assert_eq!(output.status.code(), Some(2), "{message}");
    check(&message, &["volume", "it cannot be moved", "accepted"]);
    assert_eq!(place.names(), ["a.toml", "volume"]);
}

#[test]
fn values_that_are_fine_one_by_one_but_not_together_are_refused_too() {
    let place = Place::new();
    let small = [("unit_variance = 0.5", "unit_variance = 1e-300"), ("dimension = 1", "dimension = 3")];
    let text = units(&small).replace("[-2.0]", "[0, 0, 0]").replace("[0.0]", "[0, 0, 0]") + "y2 = 0\ny3 = 0\n";
    check(&refusal(&place, &text), &["a.toml: model: ", "normaliser"]);
}

/// Texts with up to four bytes changed, deleted or doubled, from a fixed sequence.
fn mutated(text: &str, count: u64) -> impl Iterator<Item = Vec<u8>> + '_ {
    let mut state = 1_u64;
    let mut next = move |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    (0..count).map(move |_| {
        let mut bytes = text.as_bytes().to_vec();
        for _ in 0..=next(4) {
            let place = next(bytes.len());
            match next(3) {
                0 => bytes[place] = b"019.-=\"[]{},\n#ex \xc3"[next(18)],
                1 => drop(bytes.remove(place)),
                _ => bytes.insert(place, bytes[place]),
            }
        }
        bytes
    })
}

#[test]
fn whatever_is_in_a_file_it_is_accepted_or_refused_in_one_line() {
    let place = Place::new();
    let given = "seed = 1\nparticles = 2\nsteps = 1\ndt = 0.1\nscheme = \"gradient-flow\"\n[model]\nkind = \"mmd\"\n\
                 sample = \"sample.csv\"\n[start]\nx1 = 0\nx2 = 0\n";
    let given = place.put("given.toml", given);
    let mut refused = 0;
    for text in mutated(UNITS, 1500) {
        let path = place.put("a.toml", text);
        refused += usize::from(Config::load(&path).is_err_and(|refusal| !refusal.to_string().contains('\n')));
    }
    for text in mutated("x1,x2\n0.5,1.5\n-2,3e1\n0,0\n", 1500) {
        place.put("sample.csv", text);
        refused += usize::from(Config::load(&given).is_err_and(|refusal| !refusal.to_string().contains('\n')));
    }
    assert!(refused > 1500 && refused < 3000, "{refused}");
}
