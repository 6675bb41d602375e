import ArgumentParser
import Files
import Training

struct Compare: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare",
        abstract: "Put runs side by side: table, differences, loss curves; or check that a comparison is fair.",
        discussion: """
            gecko compare runs/gecko-1 runs/gecko-2 runs/llama-1 --svg compared.svg
            gecko compare runs/compare-xs-kjv/*-1 --json
            gecko compare --fair gecko.toml llama.toml
            gecko compare --best runs/rate-1e-3 runs/rate-2e-3

            Runs that differ in training.seed and run.directory only are one row and one curve: mean and standard \
            deviation over the seeds. Runs that aren't finished are compared as far as they are, and named. The table \
            is Markdown. Embeddings are the two matrices with a row for each token number.

            The picture has the training loss, smoothed, over tokens and over the time of the steps, and the held-out \
            loss over the positions of the sequence (positions.json of the runs); bands are the standard deviation \
            over seeds.

            --fair takes configuration files before they run. It prints what is equal, and ends with 1 and every \
            difference if they differ in parameters without embeddings (by more than .5 %), text, tokens, sequences, \
            masks, seed, optimizer (but for the learning rate), precision, tying or scale of embeddings, dropout or \
            chunk, or if a sequence has fewer than 8 chunks. jobs/compare.sh begins with it.
            """)

    @Argument(help: ArgumentHelp("Folders of runs; with --fair, configuration files.", valueName: "run"))
    var runs: [String]

    @Flag(help: "Check that configurations are equal in all that a fair comparison holds equal.")
    var fair = false

    @Flag(help: "Print the folder of the run with the least held-out loss, and nothing else.")
    var best = false

    @Flag(help: "Print one JSON object.")
    var json = false

    @Option(help: "Draw the loss curves into this file.", transform: pathOption)
    var svg: String?

    @OptionGroup var files: OutputOptions

    func validate() throws {
        if fair, best || json || svg != nil {
            throw ValidationError("--fair looks at configurations: --best, --json and --svg are about runs")
        }
        if best, json || svg != nil {
            throw ValidationError("--best prints one folder: --json and --svg change nothing about it")
        }
        if fair, runs.count < 2 {
            throw ValidationError("--fair compares configurations: give two or more files")
        }
        if files.overwrite, svg == nil {
            throw ValidationError("--overwrite changes nothing without --svg: nothing is written")
        }
    }

    func run() throws {
        let paths = try runs.map(pathOption)
        if fair { return try checkFairness(paths) }
        let comparison = try RunComparison(paths)
        if best { return try Console.show(try comparison.best()) }
        try files.check(svg, as: .picture)
        try Console.show(json ? comparison.json : comparison.text, terminator: json ? "\n" : "")
        if let svg { try files.write(ComparisonSVG(comparison).render(), to: svg, as: .picture) }
    }

    private func checkFairness(_ paths: [String]) throws {
        let comparison = try FairComparison(files: paths)
        try Console.show(comparison.text, terminator: "")
        if !comparison.isFair { throw ExitCode.failure }
    }
}
