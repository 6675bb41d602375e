import ArgumentParser
import Checkpoints
import Figures
import Files
import Foundation
import Simulation
import Training

struct Checkpoint: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "checkpoint",
        abstract: "Look at checkpoints, check them, turn them into model files and back.",
        discussion: """
            gecko checkpoint list runs/quickstart
            gecko checkpoint verify runs/quickstart
            gecko checkpoint export runs/quickstart model.safetensors
            gecko checkpoint export runs/quickstart --format transformers --out model
            gecko checkpoint import model.safetensors run.toml && gecko train run.toml --resume
            gecko checkpoint import Llama-2-7b-hf run.toml --run.directory runs/tuned

            PATH is a run's directory, a directory of checkpoints, or one checkpoint in it (step-00000050).
            """,
        subcommands: [List.self, Inspect.self, Verify.self, Export.self, Import.self])

    struct Chosen: ParsableArguments {
        @Argument(
            help: "A run's directory, a directory of checkpoints, or one checkpoint in it.", transform: pathOption)
        var path: String

        @Option(help: "The step of the checkpoint; the newest complete one if left out.")
        var step: Int?

        func validate() throws { try OptionBounds.check("--step", step, atLeast: 0, atMost: .max) }
    }

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(commandName: "list", abstract: "What is there, oldest first.")

        @Argument(help: "A run's directory or a directory of checkpoints.", transform: pathOption)
        var path: String

        func run() throws {
            let location = try CheckpointLocation(path)
            let entries = try location.store.entries()
            guard !entries.isEmpty else {
                try Console.show("no checkpoints in \(location.store.directory)")
                return
            }
            var table = TextTable(["step", "written", "files", "size", "layout", "state"])
            for entry in entries {
                switch entry.state {
                case .complete(let m), .foreign(let m):
                    table.add([
                        "\(m.step)", m.date, "\(m.files.count)", m.size.asBytes,
                        "\(m.layout.stages) x \(m.layout.replicas)", "complete" + (m.doubt.map { ", but \($0)" } ?? ""),
                    ])
                case .incomplete: table.add(["\(entry.step)", "", "", "", "", "no manifest: not finished"])
                case .damaged(let reason): table.add(["\(entry.step)", "", "", "", "", "damaged: \(reason)"])
                }
            }
            try Console.show(table.text, terminator: "")
        }
    }

    struct Inspect: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "inspect", abstract: "Where a run stood and what is in which file.")

        @OptionGroup var chosen: Chosen

        @Flag(help: "Every tensor with its shape.")
        var tensors = false

        @Flag(help: "The resolved configuration.")
        var configuration = false

        func run() throws {
            let location = try CheckpointLocation(chosen.path)
            let m = try location.manifest(step: chosen.step)
            if configuration {
                try Console.show(m.configuration, terminator: "")
                return
            }
            try Console.show(
                """
                checkpoint  \(location.store.path(m.step))
                written     \(m.date)
                run         \(m.run.map { "\($0.id) in \($0.directory)" } ?? "unknown: begun by an older version")
                step        \(m.step), of which \(m.progress.skipped) skipped\(m.doubt.map { "; \($0)" } ?? "")
                data        \(m.progress.sequences) sequences read of \(m.corpus)
                random      seed \(m.seed), counter-based: nothing else to know
                layout      \(m.layout.stages) stages (layers \
                \(m.layout.layers.map(String.init).joined(separator: "+"))) x \(m.layout.replicas) replicas, schedule \
                \(m.layout.schedule)
                size        \(m.size.asBytes) in \(m.files.count) files

                """)
            for file in m.files {
                let contents = try SafetensorsFile("\(location.store.path(m.step))/\(file.name)")
                try Console.show(
                    """
                    \(file.name)  \(file.size.asBytes)  \(contents.entries.count) tensors  sha256 \
                    \(file.sha256)
                    """
                )
                guard tensors else { continue }
                for entry in contents.entries {
                    try Console.show("    \(entry.name)  \(entry.type.rawValue) \(entry.shape)")
                }
            }
        }
    }

    struct Verify: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "verify",
            abstract:
                """
                Compare every file with its size and digest, and look for numbers that are not finite; fails if \
                any is wrong.
                """
        )

        @OptionGroup var chosen: Chosen

        func run() throws {
            let location = try CheckpointLocation(chosen.path)
            var faults = 0
            var manifests: [Manifest] = []
            if let step = chosen.step ?? location.step {
                manifests = [try location.manifest(step: step)]
            } else {
                for entry in try location.store.entries() {
                    switch entry.state {
                    case .complete(let manifest), .foreign(let manifest): manifests.append(manifest)
                    case .incomplete: try Console.show("step \(entry.step): no manifest: not finished, never used")
                    case .damaged(let reason):
                        faults += 1
                        try Console.show("step \(entry.step): DAMAGED: \(reason)")
                    }
                }
            }
            for manifest in manifests {
                var bad = 0
                let seconds = try ContinuousClock().measure {
                    _ = try location.verify(manifest) { _, error in
                        guard let error else { return }
                        bad += 1
                        let word = error is NotFiniteError ? "NOT FINITE" : "DAMAGED"
                        try Console.show("step \(manifest.step): \(word): \(error)")
                    }
                }
                if bad == 0, let doubt = manifest.doubt {
                    bad = 1
                    try Console.show("step \(manifest.step): NOT FINITE: \(doubt): this state is not usable as a model")
                }
                faults += bad
                if bad == 0 {
                    let rate = Double(manifest.size) / max(1e-9, seconds / .seconds(1))
                    try Console.show(
                        """
                        step \(manifest.step): whole, \(manifest.files.count) files, \
                        \(manifest.size.asBytes), read and hashed at \(Int(rate).asBytes)/s
                        """
                    )
                }
            }
            if manifests.isEmpty, faults == 0 {
                try Console.show("no complete checkpoint in \(location.store.directory)")
            }
            if faults > 0 { throw ExitCode.failure }
        }
    }
}

extension Manifest {
    /// When it was written, in local time.
    fileprivate var date: String {
        var seconds = time_t(created)
        var local = tm()
        localtime_r(&seconds, &local)
        return String(
            format: "%04d-%02d-%02d %02d:%02d:%02d", Int(local.tm_year) + 1900, Int(local.tm_mon) + 1,
            Int(local.tm_mday), Int(local.tm_hour), Int(local.tm_min), Int(local.tm_sec))
    }
}
