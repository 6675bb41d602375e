import Testing
import Training

@Suite struct ConfigurationValidationTests {
    private func configuration(_ overrides: String...) throws -> RunConfiguration {
        try RunConfiguration.load(file: nil, overrides: ["--data.path=corpus.txt"] + overrides)
    }

    @Test func `the defaults are valid and what was open is resolved`() throws {
        let alone = try configuration().validated(world: nil)
        #expect(alone.gecko.vocabulary == 256)
        #expect(alone.gecko.ropeHeads == 4)
        #expect(alone.pipeline.stages == 1)
        #expect(alone.pipeline.slice == 1024)
        #expect(try alone.validated(world: nil) == alone)
        #expect(try configuration("--data.packed").validated(world: nil).gecko.vocabulary == 257)
        #expect(try configuration().validated(world: 3).pipeline.stages == 3)
        #expect(try configuration("--pipeline.replicas=2").validated(world: 4).pipeline.stages == 2)
        #expect(try configuration("--pipeline.layers=2,1,1").validated(world: nil).pipeline.stages == 3)
        #expect(try configuration("--pipeline.layers=2,2").validated(world: 2).pipeline.stages == 2)
        #expect(
            try configuration("--pipeline.stages=2", "--pipeline.replicas=2").validated(world: nil).pipeline.stages == 2
        )
    }

    @Test(arguments: [
        (
            ["--model.dim=100", "--model.norm_groups=32"],
            """
            model.dim = 100 (on the command line) is not a multiple of model.norm_groups = 32 (on the command \
            line): set model.dim to 96 or 128 or model.norm_groups to 25 or 50
            """
        ),
        (["--model.ln_groups=5"], "set model.dim to 190 or 195 or model.ln_groups to 4 or 6"),
        (
            ["--model.z_dim=98"],
            "model.z_dim = 98 (on the command line) is not a multiple of model.heads = 4: set model.z_dim to 96 or 104"
        ),
        (["--model.value_dim=3"], "set model.value_dim to 4 or model.heads to 3"),
        (["--model.z_dim=100"], "leaves 25 a head: set model.z_dim to 96 or 104"),
        (
            ["--model.dim=32", "--model.norm_groups=32"],
            """
            leaves the timestep norm one feature, of which nothing but its sign comes through: set model.dim to 64 \
            or model.norm_groups to 16
            """
        ),
        (["--model.ln_groups=192"], "leaves the layer norm one feature"),
        (["--model.heads=96", "--model.rope_heads=0"], "one feature, of which nothing but its sign comes through"),
        (
            ["--optimizer.learning_rate=20"],
            """
            each step would take all of the weights away and leave them with the other sign: set \
            optimizer.weight_decay to 0.005
            """
        ),
        (["--checkpoint.directory="], "checkpoint.directory is empty"),
        (["--model.rope_heads=5"], "set model.rope_heads to at most 4, or to -1 for all"),
        (["--model.vocabulary=200"], "too small: bytes need 256"),
        (
            ["--model.architecture=mega", "--model.position_bias=simple", "--model.max_positions=64"],
            "is less than model.chunk = 128: set model.max_positions to 128, or to 0"
        ),
        (
            ["--model.architecture=mega", "--model.position_bias=simple", "--model.chunk=0"],
            "are both 0: set model.max_positions to the longest sequence"
        ),
        (
            [
                "--model.architecture=mega", "--model.position_bias=simple", "--model.chunk=0",
                "--model.max_positions=512", "--data.sequence=1024",
            ], "the longest sequence that the model knows: set model.max_positions to 1024"
        ),
        (["--model.architecture=mega", "--model.z_dim=97"], "is odd: set model.z_dim to 96 or 98"),
        (["--model.vocabulary=256", "--data.packed"], "need 257"),
        (
            ["--pipeline.slice=64"],
            """
            pipeline.slice = 64 (on the command line) is not a multiple of model.chunk = 128: set pipeline.slice \
            to 128 or model.chunk to 64
            """
        ),
        (["--pipeline.slice=384"], "data.sequence = 1024 is not a multiple of pipeline.slice = 384"),
        (["--data.sequence=1000"], "set data.sequence to 896 or 1024 or model.chunk to 125 or 200"),
        (["--pipeline.replicas=3"], "training.batch = 4 is not a multiple of pipeline.replicas = 3"),
        (["--data.separator=X"], "set data.packed to true or leave data.separator out"),
        (["--data.path="], "data.path is empty"),
        (["--run.directory="], "run.directory is empty"),
        (
            ["--pipeline.stages=5"],
            """
            5 stages are more than model.layers = 4, and each stage needs a layer: set pipeline.stages to at most \
            4, or model.layers to 5 or more
            """
        ),
        (["--pipeline.layers=3,2"], "sums to 5, but model.layers = 4: change the list, or set model.layers to 5"),
        (["--pipeline.layers=4,0"], "each stage takes from 1 to all 4 layers"),
        (["--pipeline.layers=9223372036854775807,1"], "each stage takes from 1"),
        (
            ["--pipeline.layers=2,2", "--pipeline.stages=3"],
            "lists 2 stages, but there are 3: give 3 numbers, or set pipeline.stages to 2"
        ),
    ])
    func `a relation that does not hold is told with a value that would work`(
        overrides: [String], message: String
    ) throws {
        let configuration = try RunConfiguration.load(file: nil, overrides: ["--data.path=corpus.txt"] + overrides)
        let error = #expect(throws: ConfigurationError.self) { try configuration.validated(world: nil) }
        #expect(error?.problems.count == 1, "\(error?.description ?? "")")
        #expect(error?.description.contains(message) == true, "\(error?.description ?? "")")
    }

    @Test(arguments: [
        (
            3, ["--pipeline.stages=2"],
            """
            the launcher started 3 ranks, but 2 stages x 1 replicas are 2: start 2 ranks (-np 2), or set \
            pipeline.stages to 3
            """
        ),
        (4, ["--pipeline.stages=2"], "or set pipeline.stages to 4, or set pipeline.replicas to 2"),
        (
            3, ["--pipeline.replicas=2"],
            "3 ranks cannot be shared by pipeline.replicas = 2 (on the command line): start 2 or 4 ranks"
        ),
        (8, [], "8 stages (the launcher started 8 ranks) are more than model.layers = 4"),
        (2, ["--pipeline.layers=2,1,1"], "but 3 stages x 1 replicas are 3: start 3 ranks"),
    ])
    func `a world that does not fit is refused`(world: Int, overrides: [String], message: String) throws {
        let configuration = try RunConfiguration.load(file: nil, overrides: ["--data.path=corpus.txt"] + overrides)
        let error = #expect(throws: ConfigurationError.self) { try configuration.validated(world: world) }
        #expect(error?.description.contains(message) == true, "\(error?.description ?? "")")
    }

    @Test func `the quickstart's configuration fits two ranks, and one process`() throws {
        let file = package.appendingPathComponent("jobs/quickstart.toml").path
        let quickstart = try RunConfiguration.load(file: file, overrides: [])
        #expect(try quickstart.validated(world: 2).pipeline.stages == 2)
        #expect(try quickstart.validated(world: nil).pipeline.stages == 1)
        #expect(quickstart.run.directory == "runs/quickstart" && !quickstart.run.overwrite)
    }

    @Test func `the place in the file is told`() throws {
        let configuration = try RunConfiguration.parse(
            toml: "[model]\ndim = 100\nnorm_groups = 32\n[data]\npath = 'x'", file: "run.toml")
        let error = #expect(throws: ConfigurationError.self) { try configuration.validated(world: nil) }
        #expect(error?.description.hasPrefix("model.dim = 100 (at run.toml:2) is not a multiple") == true)
    }

    @Test func `the largest sizes are refused or accepted, never a crash`() throws {
        /// The largest value that the key takes.
        func largest(_ key: ConfigurationKey) -> Int {
            var (low, high) = (7, Int(Int32.max) + 1)
            while high - low > 1 {
                let middle = (low + high) / 2
                let takes = (try? configuration("--\(key.qualifiedName)=\(middle)")) != nil
                if takes { low = middle } else { high = middle }
            }
            return low
        }
        let sizes = RunConfiguration().keys.all.filter {
            if case .integer = $0.value(in: RunConfiguration()) { true } else { false }
        }
        let most = Dictionary(uniqueKeysWithValues: sizes.map { ($0.qualifiedName, largest($0)) })
        for a in sizes {
            for b in sizes {
                let most = (most[a.qualifiedName] ?? 0, most[b.qualifiedName] ?? 0)
                let configuration = try configuration(
                    "--\(a.qualifiedName)=\(most.0)", "--\(b.qualifiedName)=\(most.1)")
                for world in [nil, 2, Int(Int32.max)] {
                    guard let valid = try? configuration.validated(world: world) else { continue }
                    let check = SizeCheck(valid)
                    _ = Result { try check.checkCounts() }
                    _ = Result { try check.checkMemory(world: world) }
                }
            }
        }
    }
}
