import Foundation
import Model
import Testing
import Training

@Suite struct ConfigurationTextTests {
    @Test func `the written configuration reads back the same, to the last bit`() throws {
        let overrides = [
            "--data.path", "a \"b\"\\é.txt,$$b{{c}}", "--data.separator", "<|end|>\n\t\u{7}", "--run.directory",
            "./~x/{name}{{y}}",
            "--optimizer.learning_rate",
            "0.1234567890123456789", "--model.eps", "1e-30", "--model.rope_base", "1e20", "--pipeline.layers", "3,1",
            "--optimizer.schedule", "constant", "--pipeline.recompute", "--training.seed", "2147483647",
        ]
        let configuration = try RunConfiguration.load(file: nil, overrides: overrides)
        let copy = try RunConfiguration.parse(toml: configuration.toml(), file: "config.toml")
        #expect(copy == configuration)
        #expect(copy != RunConfiguration())
        #expect(copy.data.path == "a \"b\"\\é.txt,$b{c}")
        #expect(copy.optimizer.learningRate == 0.1234567890123456789)
        #expect(copy.toml() == configuration.toml())
    }

    @Test func `every key can be set alone and survives the round trip`() throws {
        // Another architecture has other keys: ArchitectureTests.
        for key in RunConfiguration().keys.all where key.qualifiedName != "model.architecture" {
            let value: String =
                switch key.value(in: RunConfiguration()) {
                case .boolean(let value): "\(!value)"
                case .integer: "7"
                case .number: key.qualifiedName == "model.rope_base" ? "7.5" : "0.375"
                case .text(let text):
                    switch text {
                    case "cosine": "wsd"
                    case "balanced": "even"
                    case "equal": "balanced"
                    case "f32": "bf16"
                    case "auto": "openblas"
                    case "memory": "disk"
                    case "sliding": "chunk"
                    case "decay": "cumulative"
                    default: text + "x"
                    }
                case .list, .texts, .other: ""
                }
            let changed = try RunConfiguration.load(file: nil, overrides: ["--\(key.qualifiedName)", value])
            let differing = RunConfiguration().keys.all.filter {
                $0.value(in: changed) != $0.value(in: RunConfiguration())
            }
            #expect(differing.map(\.qualifiedName) == [key.qualifiedName])
            #expect(try RunConfiguration.parse(toml: changed.toml(), file: "config.toml") == changed)
        }
    }

    @Test func `a list of paths is read, and survives the round trip`() throws {
        let toml = "[data]\npath = [\n  \"a, b.md\",  # two\n  'c\\d', \"é \\\"\"\n]\n"
        let configuration = try RunConfiguration.parse(toml: toml, file: "run.toml")
        #expect(configuration.data.path == .list(["a, b.md", "c\\d", "é \""]))
        let copy = try RunConfiguration.parse(toml: configuration.toml(), file: "config.toml")
        #expect(copy == configuration && copy.toml() == configuration.toml())
        // The command line goes over it, as text.
        let overridden = try RunConfiguration.load(base: configuration, file: nil, overrides: ["--data.path", "x,y"])
        #expect(overridden.data.path == .text("x,y"))
    }

    @Test(arguments: [
        ("[]", "expected a path, several separated by commas, or a list of paths"), ("[1, 2]", "found the list [1, 2]"),
        ("[\"a\", 2]", "a list that holds more than integers"), ("3", "found 3"),
        ("[\"a\", \"\"]", "empty entry, number 2 of 2"),
        ("\"\"", "data.path is empty"),
    ])
    func `what is no list of paths is refused`(value: String, words: String) {
        let error = #expect(throws: ConfigurationError.self) {
            try RunConfiguration.parse(toml: "[data]\npath = \(value)\n", file: "run.toml").validated(world: nil)
        }
        #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
        #expect(error?.description.contains("data.path") == true)
    }

    @Test func `help names every key with its default`() {
        let help = RunConfiguration.helpText()
        for key in RunConfiguration().keys.all { #expect(help.contains("--\(key.qualifiedName) ")) }
        #expect(help.contains("default 0.002)"))
        #expect(help.split(separator: "\n").allSatisfy { $0.count <= 100 })
    }

    /// After a change to the table of keys: `GECKO_WRITE_EXAMPLE=1 swift test --filter ConfigurationTextTests`.
    @Test(arguments: Architectures.known.names)
    func `the commented example in the documentation is up to date and has all defaults`(_ architecture: String) throws
    {
        let isFirst = architecture == Architectures.known.standard.name
        let url = package.appendingPathComponent("docs/example\(isFirst ? "" : "-\(architecture)").toml")
        let example = RunConfiguration.commentedExample(of: architecture)
        if ProcessInfo.processInfo.environment["GECKO_WRITE_EXAMPLE"] != nil {
            try Data(example.utf8).write(to: url)
        }
        #expect(try String(contentsOf: url, encoding: .utf8) == example)
        var expected = RunConfiguration()
        if !isFirst { expected.choose(try #require(Architectures.known.named(architecture))) }
        expected.data.path = "corpus.txt"
        #expect(try RunConfiguration.parse(toml: example, file: "example.toml") == expected)
        #expect(example.split(separator: "\n").allSatisfy { $0.count <= 120 })
    }
}
