import ArgumentParser
import Files
import Model
import Training

struct Bench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measure tokens/s, utilisation, and where a training step's time goes.",
        discussion: """
            gecko bench --size S --threads 1
            gecko bench run.toml --model.layers 8
            gecko bench --size S --shapes
            gecko bench --size L --against "python jobs/peers/pytorch_gecko.py --size L"
            mpirun -np 2 gecko bench --size S --slice 256

            Trains a few real steps (forward, backward, AdamW) on random tokens and leaves nothing behind. Sizes as \
            D/Z/E/F, layers, chunk: \
            XS 192/96/384/384, 4, 128; S 512/256/1024/1024, 6, 512; L 1024/256/2048/2048, 8, 512; one sequence of \
            4,096 tokens a step. \
            Without a size the model is that of the configuration file; its corpus isn't read. Every key can be \
            overridden as --section.key value.

            Utilisation is model flops (masked attention tiles not counted, backward = 2 x forward, recompute not \
            counted) over the fused multiply-add \
            peak that is measured in the same process. The table counts core time; GFLOP/s and GB/s by formula, each \
            operation reading and \
            writing its operands once a slice.

            --against runs a command after each round of steps and reads its rate: the last JSON key \
            "tokens_per_second" of its output, or else the last \
            number in front of "tokens/s". The ratio is the median over the pairs.
            """)

    @Option(help: "A model of the project's own: XS, S or L.")
    var size: BenchmarkSize?

    @Option(help: "Precision of the matrix products: f32 or bf16.")
    var precision: String?

    @Option(help: "What multiplies matrices: auto, tiles or openblas.")
    var matrices: String?

    @Option(help: "Threads per rank; 0 shares the cores evenly.")
    var threads: Int?

    @Option(help: "Tokens of a sequence.")
    var sequence: Int?

    @Option(help: "Tokens of a slice.")
    var slice: Int?

    @Option(help: "Steps that are measured (in each round), after one of warm-up.")
    var steps = 3

    @Option(help: "Command of a peer, which takes turns with the steps.")
    var against: String?

    @Option(help: "Rounds of steps; 3 with a peer, otherwise 1.")
    var rounds: Int?

    @Flag(
        help: """
            Instead of training, measure every matrix product of a layer on one core, by each engine in turn, for \
            slices of \
            the model's length.
            """)
    var shapes = false

    @Flag(help: "Print one JSON object.")
    var json = false

    @Option(help: "Draw the breakdown and the roofline into this file.", transform: pathOption)
    var svg: String?

    @OptionGroup var files: OutputOptions
    @OptionGroup var arguments: RunArguments

    func validate() throws {
        try OptionBounds.check("--steps", steps, atLeast: 1)
        try OptionBounds.check("--rounds", rounds, atLeast: 1)
        try OptionBounds.check("--threads", threads, atLeast: 0)
        try OptionBounds.check("--sequence", sequence, atLeast: 1)
        try OptionBounds.check("--slice", slice, atLeast: 1)
        if files.overwrite, svg == nil {
            throw ValidationError("--overwrite changes nothing without --svg: nothing is written")
        }
        if shapes, against != nil || svg != nil || rounds != nil || matrices != nil {
            throw ValidationError(
                "--shapes measures single products by every engine: --against, --svg, --rounds and --matrices say "
                    + "nothing about it"
            )
        }
        guard size == nil || arguments.file == nil else {
            throw ValidationError(
                "a size and a file (\(arguments.file ?? "")) both say which model to measure: give one of them")
        }
        guard size != nil || arguments.file != nil else {
            throw ValidationError("which model? Give --size XS, S or L, or a configuration file")
        }
    }

    func run() async throws {
        var request = BenchRequest()
        request.steps = steps
        request.rounds = rounds ?? (against == nil ? 1 : 3)
        request.peer = against
        request.json = json
        request.picture = svg
        request.overwrite = files.overwrite
        try files.check(svg, as: .picture)
        let (file, overrides) = (arguments.file, arguments.overrides + options)
        let base = try size.map { try RunConfiguration.benchmark($0, overrides: overrides) }
        if shapes {
            let table = try ShapeTable(try Self.configuration(base, file, overrides, world: nil))
            return try Console.show(json ? table.json : table.text, terminator: json ? "\n" : "")
        }
        do {
            try await Launch.bench(request) { world in
                try Self.configuration(base, file, overrides, world: world)
            }
        } catch let exit as SilentExit {
            throw ExitCode(exit.status)
        }
    }

    private static func configuration(
        _ base: RunConfiguration?, _ file: String?, _ overrides: [String], world: Int?
    ) throws -> RunConfiguration {
        var configuration = try RunConfiguration.load(base: base, file: file, overrides: overrides)
        if configuration.data.path.isEmpty { configuration.data.path = "random" }
        return try configuration.validated(world: world)
    }

    /// This command's own names for keys.
    private var options: [String] {
        [
            precision.map { ["--model.precision", $0] }, matrices.map { ["--machine.matrices", $0] },
            threads.map { ["--machine.threads", "\($0)"] },
            sequence.map { ["--data.sequence", "\($0)"] }, slice.map { ["--pipeline.slice", "\($0)"] },
        ].compactMap { $0 }.flatMap { $0 }
    }
}

extension BenchmarkSize: ExpressibleByArgument {}
