import Testing
import Training

/// What a refusal suggests is accepted.
@Suite struct ConfigurationSuggestionTests {
    @Test(arguments: [
        ("optimizer.learning_rate", "1e-3\r", "0.001"), ("optimizer.learning_rate", "1e-3f", "0.001"),
        ("optimizer.learning_rate", "0,001", "0.001"), ("optimizer.learning_rate", "1e\u{2212}3", "0.001"),
        ("optimizer.learning_rate", "\u{201C}1e-3\u{201D}", "0.001"), ("data.held_out", "5%", "0.05"),
        ("training.steps", "10,000", "10000"), ("training.steps", "10_000", "10000"),
        ("training.steps", "1e4", "10000"),
        ("training.steps", "10 000", "10000"), ("training.steps", "\u{FF11}\u{FF12}", "12"),
        ("training.steps", "0x10", "16"),
        ("training.steps", "100.0", "100"), ("model.rope_heads", "\u{2013}1", "-1"),
        ("pipeline.recompute", "yes", "true"),
        ("pipeline.recompute", "True", "true"), ("pipeline.recompute", "0", "false"),
        ("pipeline.recompute", "tru\u{435}", "true"), ("optimizer.schedule", "Cosine", "\"cosine\""),
        ("model.precision", "BF16", "\"bf16\""), ("pipeline.layers", "Even", "\"even\""),
    ])
    func `a value that was meant is suggested, and taken`(key: String, text: String, meant: String) throws {
        let error = #expect(throws: ConfigurationError.self) {
            try RunConfiguration.load(file: nil, overrides: ["--\(key)", text])
        }
        let message = error?.description ?? ""
        #expect(message.contains("found the text"), "\(message)")
        let suggested = try #require(message.split(separator: "did you mean ").last).dropLast()
        #expect(suggested == meant, "\(message)")
        let plain = suggested.filter { $0 != "\"" }
        #expect(throws: Never.self) { try RunConfiguration.load(file: nil, overrides: ["--\(key)", String(plain)]) }
    }

    @Test(arguments: [
        ("optimizer.learning_rate", "1e-3\r", "found the text \"1e-3\\r\""),
        ("training.steps", "1\u{A0}000", "with U+00A0 NO-BREAK SPACE"),
        ("training.steps", "99999999999999999999", "99999999999999999999"),
        ("optimizer.learning_rate", "1e400", "found the text \"1e400\""),
        ("optimizer.learning_rate", "nan", "found the text \"nan\""),
        ("optimizer.clip", "inf", "found the text \"inf\""), ("optimizer.learning_rate", "0", "above 0, found 0"),
        ("optimizer.eps", "1e-50", "above 0 and at least 1e-30, found 1e-50"),
        ("optimizer.beta2", "0.999999999", "below 1 and at most 0.9999999, found 0.999999999"),
        ("model.layers", "1000000000", "at most 16384, found 1000000000"),
        ("machine.patience", "1e300", "at most 10000000, found 1e+300"),
        ("model.chunk", "0", "at least 1, found 0"), ("model.dropout", "1", "below 1, found 1"),
        ("training.sample_temperature", "1e9", "at most 1000"), ("data.held_out", "1", "below 1, found 1"),
        ("run.directory", "x{nme}", "{nme} in \"x{nme}\" is none of {name}, {time}"),
        ("data.path", "a\r", "U+000D CARRIAGE RETURN"),
        ("checkpoint.directory", "{name}", "{name} in \"{name}\" is none of {run}"),
        ("pipeline.stash_directory", "$GECKO_TEST_UNSET/x", "$GECKO_TEST_UNSET in \"$GECKO_TEST_UNSET/x\" is not set"),
    ])
    func `a refusal shows what was found and where the limit is`(key: String, text: String, words: String) {
        let error = #expect(throws: ConfigurationError.self) {
            try RunConfiguration.load(file: nil, overrides: ["--\(key)", text])
        }
        #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
    }

    /// Every "set a to 1 or 2 or b to 3" of a refusal is tried.
    @Test(arguments: [
        ["--model.dim=100", "--model.norm_groups=32"],
        ["--model.dim=33", "--model.norm_groups=4", "--model.ln_groups=3"],
        ["--model.ln_groups=5"], ["--model.z_dim=98"], ["--model.value_dim=3"], ["--model.z_dim=100"],
        ["--model.heads=7"],
        ["--model.heads=96"], ["--model.dim=32", "--model.norm_groups=32"], ["--model.ln_groups=192"],
        ["--data.sequence=1000"], ["--pipeline.slice=64"], ["--pipeline.slice=384"], ["--pipeline.slice=100"],
        ["--pipeline.replicas=3"], ["--model.chunk=100"], ["--model.chunk=1024", "--data.sequence=1536"],
        ["--pipeline.replicas=7", "--training.batch=5"], ["--data.sequence=1"],
        ["--model.z_dim=2", "--model.heads=64"],
    ])
    func `every suggested size is accepted`(overrides: [String]) throws {
        let given = ["--data.path=c.txt"] + overrides
        let configuration = try RunConfiguration.load(file: nil, overrides: given)
        let error = #expect(throws: ConfigurationError.self) { try configuration.validated(world: nil) }
        let problems = error?.problems ?? []
        var tried = 0
        for problem in problems {
            guard let list = problem.split(separator: ": set ").last, problem.contains(": set ") else { continue }
            var key = ""
            for word in list.split(separator: " ") {
                if word.contains(".") { key = String(word) }
                guard let value = Int(word) else { continue }
                tried += 1
                let changed = try RunConfiguration.load(file: nil, overrides: given + ["--\(key)=\(value)"])
                #expect(remaining(changed).count < problems.count, "\(key) = \(value): \(remaining(changed))")
            }
        }
        #expect(tried > 0, "\(problems)")
    }

    private func remaining(_ configuration: RunConfiguration) -> [String] {
        do {
            _ = try configuration.validated(world: nil)
            return []
        } catch {
            return (error as? ConfigurationError)?.problems ?? ["\(error)"]
        }
    }

    @Test func `a width alone is enough`() throws {
        for dim in [2, 8, 32, 37, 64, 100, 192, 4096] {
            let configuration = try RunConfiguration.load(
                file: nil, overrides: ["--data.path=c.txt", "--model.dim=\(dim)"])
            let groups = try configuration.validated(world: nil).gecko.normGroups
            #expect(dim % groups == 0 && dim / groups >= 2)
        }
        let usual = try RunConfiguration.load(file: nil, overrides: ["--data.path=c.txt"])
        #expect(try usual.validated(world: nil).gecko.normGroups == 32)
    }
}
