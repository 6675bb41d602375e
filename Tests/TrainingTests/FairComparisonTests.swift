import Model
import Testing
import Training

/// Which configurations are fair to compare.
@Suite struct FairComparisonTests {
    /// Two architectures of the comparison's smallest size; `change` is made in the second.
    private func comparison(
        _ second: String = "llama", _ change: (inout RunConfiguration) -> Void = { _ in }
    ) throws -> FairComparison {
        var other = try Self.configuration(second)
        change(&other)
        return FairComparison([
            .init(name: "first.toml", configuration: try Self.configuration("gecko").validated(world: nil)),
            .init(name: "second.toml", configuration: try other.validated(world: nil)),
        ])
    }

    private static func configuration(_ architecture: String) throws -> RunConfiguration {
        var c = RunConfiguration()
        c.choose(try #require(Architectures.known.named(architecture)))
        c.data.path = "text.txt"
        c.data.sequence = 1024
        switch architecture {
        case "llama":
            var model = LlamaConfiguration()
            model.ffnDim = 632
            c.model = model
        case "mega":
            var model = MegaConfiguration()
            model.scaleEmbeddings = false
            c.model = model
        default: break
        }
        return c
    }

    @Test(arguments: ["llama", "megalodon", "mega"])
    func `the sizes of the comparison are fair`(architecture: String) throws {
        let fair = try comparison(architecture)
        #expect(fair.problems == [])
        #expect(fair.isFair && fair.text.contains("The comparison is fair"))
        #expect(fair.equal.contains { $0.what == "data.sequence" && $0.value == "1024" })
        // Chosen for each.
        #expect(!fair.equal.contains { $0.what == "optimizer.learning_rate" })
        #expect(fair.notes.isEmpty == (architecture != "mega"), "\(fair.notes)")
    }

    @Test func `what may differ does`() throws {
        let fair = try comparison {
            $0.optimizer.learningRate = 1e-3
            $0.run.directory = "elsewhere"
            $0.checkpoint.every = 7
            $0.machine.threads = 2
            $0.training.logEvery = 3
        }
        #expect(fair.problems == [])
    }

    private static let changes: [(key: String, change: @Sendable (inout RunConfiguration) -> Void)] = [
        ("data.path", { $0.data.path = "other.txt" }),
        ("data.held_out", { $0.data.heldOut = 0.1 }),
        ("data.sequence", { $0.data.sequence = 2048 }),
        ("data.packed", { $0.data.packed = true }),
        ("data.separator", { ($0.data.packed, $0.data.separator) = (true, "--") }),
        ("data.streams", { $0.data.streams = true }),
        ("data.stream_context", { $0.data.streamContext = 8 }),
        ("training.steps", { $0.training.steps = 7 }),
        ("training.batch", { $0.training.batch = 8 }),
        ("training.seed", { $0.training.seed = 9 }),
        ("training.evaluate_sequences", { $0.training.evaluateSequences = 3 }),
        ("optimizer.minimum_ratio", { $0.optimizer.minimumRatio = 0.5 }),
        ("optimizer.schedule", { $0.optimizer.schedule = .constant }),
        ("optimizer.warmup", { $0.optimizer.warmup = 5 }),
        ("optimizer.beta1", { $0.optimizer.beta1 = 0.8 }),
        ("optimizer.beta2", { $0.optimizer.beta2 = 0.999 }),
        ("optimizer.eps", { $0.optimizer.eps = 1e-5 }),
        ("optimizer.weight_decay", { $0.optimizer.weightDecay = 0 }),
        ("optimizer.clip", { $0.optimizer.clip = 0.5 }),
        ("precision", { $0.model.precision = .bf16 }),
        ("embedding and output matrix", { $0.own(LlamaConfiguration.self) { $0.tieEmbeddings = true } }),
        ("parameters without embeddings", { $0.own(LlamaConfiguration.self) { $0.ffnDim = 640 } }),
    ]

    @Test(arguments: changes.indices) func `every other difference is refused, with both values`(index: Int) throws {
        let (key, change) = Self.changes[index]
        let fair = try comparison("llama", change)
        #expect(!fair.isFair)
        let problem = try #require(fair.problems.first { $0.hasPrefix(key) }, "\(fair.problems)")
        #expect(problem.contains(" in first.toml, but ") && problem.contains(" in second.toml"), "\(problem)")
        #expect(fair.text.contains("is not fair") && fair.text.contains(problem))
        #expect(!fair.equal.contains { $0.what.hasPrefix(key) })
    }

    @Test func `scaled embeddings, dropout and another chunk are refused`() throws {
        let scaled = try comparison("mega") { $0.own(MegaConfiguration.self) { $0.scaleEmbeddings = true } }
        #expect(scaled.problems.contains { $0.hasPrefix("scale of embeddings: 1.0000 in first.toml, but 13.8564 in ") })
        let drops = try comparison("gecko") { $0.own(GeckoConfiguration.self) { $0.hiddenDropout = 0.1 } }
        #expect(drops.problems == ["dropout: none in first.toml, but some in second.toml"])
        let chunk = try comparison("megalodon") { $0.own(MegalodonConfiguration.self) { $0.chunk = 64 } }
        #expect(chunk.problems == ["tokens of a chunk: 128 in first.toml, but 64 in second.toml"])
    }

    @Test func `a sequence has at least eight chunks`() throws {
        let four = try comparison("megalodon") { $0.own(MegalodonConfiguration.self) { $0.chunk = 256 } }
        let problem = four.problems.first { $0.hasPrefix("data.sequence = 1024 in second.toml") }
        #expect(problem?.contains("a multiple of its chunk of 256 tokens and at least 8 of them") == true)
    }
}

extension RunConfiguration {
    /// Changes a model of a known architecture.
    fileprivate mutating func own<Model: Architecture>(_ type: Model.Type, _ change: (inout Model) -> Void) {
        guard var own = model as? Model else { preconditionFailure("the model is no \(type.name)") }
        change(&own)
        model = own
    }
}
