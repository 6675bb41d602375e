/// What a checkpoint is: where the run stood, and every file that belongs to it. Written last, it makes the checkpoint
/// count.
package struct Manifest: Sendable, Equatable {
    /// A file of the checkpoint.
    package struct File: Sendable, Equatable {
        /// Within the checkpoint's folder.
        package var name: String
        /// The world rank that wrote it.
        package var rank: Int
        package var size: Int
        /// 64 lower-case hexadecimal digits.
        package var sha256: String

        package init(name: String, rank: Int, size: Int, sha256: String) {
            self.name = name
            self.rank = rank
            self.size = size
            self.sha256 = sha256
        }
    }

    /// How the run was laid out; for people, any other layout reads the same files.
    package struct Layout: Sendable, Equatable {
        package var stages: Int
        package var replicas: Int
        package var schedule: String
        /// Layers of each stage.
        package var layers: [Int]

        package init(stages: Int, replicas: Int, schedule: String, layers: [Int]) {
            self.stages = stages
            self.replicas = replicas
            self.schedule = schedule
            self.layers = layers
        }
    }

    /// The run that a checkpoint belongs to.
    package struct Run: Sendable, Equatable {
        /// Made at the run's very start, of no meaning otherwise.
        package var id: String
        /// Where the run's folder was, absolute; for messages, and to know a copy.
        package var directory: String

        package init(id: String, directory: String) {
            self.id = id
            self.directory = directory
        }
    }

    /// How far a run has come.
    package struct Progress: Sendable, Equatable {
        /// Training steps done.
        package var step: Int
        /// Those of them that updated the parameters.
        package var optimizerStep: Int
        /// Steps skipped so far, and how many of them just now in a row.
        package var skipped: Int
        package var skippedInARow: Int
        /// The data position: sequences read so far.
        package var sequences: Int

        package init(step: Int, optimizerStep: Int, skipped: Int, skippedInARow: Int, sequences: Int) {
            self.step = step
            self.optimizerStep = optimizerStep
            self.skipped = skipped
            self.skippedInARow = skippedInARow
            self.sequences = sequences
        }
    }

    package var progress: Progress
    /// Names the corpus: another text of the same name is found out.
    package var corpus: String
    /// The seed of every random number. Generators are counter-based: seed and step are their whole state.
    package var seed: Int
    package var layout: Layout
    /// The resolved configuration as TOML.
    package var configuration: String
    /// Nil in checkpoints of older versions.
    package var run: Run?
    /// The program that wrote it, for people; nil: one that didn't say.
    package var program: String?
    /// The library that multiplied matrices, where bits depend on which one that is ("OpenBLAS 0.3.21, core type Zen");
    /// nil: they don't, or it is of an older version.
    package var library: String?
    /// Seconds since 1970.
    package var created: Int
    /// In the order of their names.
    package var files: [File] = []

    /// Of no run, by no program, without files.
    package init(
        progress: Progress, corpus: String, seed: Int, layout: Layout, configuration: String, created: Int
    ) {
        self.progress = progress
        self.corpus = corpus
        self.seed = seed
        self.layout = layout
        self.configuration = configuration
        self.created = created
    }

    /// The training steps done, which a checkpoint is called by.
    package var step: Int { progress.step }

    /// Set where the run had no finite loss or gradient when it was saved: its parameters may be beyond use.
    package var doubt: String? {
        let skipped = progress.skippedInARow
        guard skipped > 0 else { return nil }
        return "its last \(skipped == 1 ? "step was" : "\(skipped) steps were") not finite"
    }

    /// Bytes of all files.
    package var size: Int { files.reduce(0) { $0 + $1.size } }

    /// The name of a manifest within its checkpoint's folder.
    package static let name = "manifest.json"
}

package struct ManifestError: Error, CustomStringConvertible, Equatable, Sendable {
    package let file: String
    package let reason: String

    package var description: String { "\(file): \(reason)" }
}
