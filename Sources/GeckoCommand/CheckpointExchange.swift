import ArgumentParser
import Files
import Model
import Training

extension Checkpoint {
    struct Export: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "export",
            abstract:
                """
                Write a checkpoint's parameters as one plain safetensors file, under the reference \
                implementation's names, or as another program's model.
                """,
            discussion: """
                gecko checkpoint export runs/quickstart model.safetensors
                gecko checkpoint export runs/quickstart --format transformers --out model
                gecko checkpoint export runs/megalodon --format official official.safetensors

                gecko generate takes the file, any safetensors reader opens it. --format transformers writes a folder \
                that the transformers library loads (config.json and model.safetensors, float32): from a llama, with \
                LlamaForCausalLM.from_pretrained. --format official writes one file as the published code of a megalodon \
                or a mega has it in its state dict, float32.
                """)

        @OptionGroup var chosen: Chosen

        @Argument(help: "The file to write; with --format transformers, the folder.", transform: pathOption)
        var output: String?

        @Option(help: "The file or folder to write, given by an option.", transform: pathOption)
        var out: String?

        @Option(help: "\(Self.formats.joined(separator: ", ")); gecko's own file if left out.")
        var format: String?

        @OptionGroup var files: OutputOptions

        /// The names of the forms that any architecture has.
        private static var formats: [String] {
            Set(Architectures.known.all.flatMap { $0.foreignForms }.map(\.name) + [OfficialForm.name]).sorted()
        }

        func validate() throws {
            if let format, !Self.formats.contains(format) {
                throw ValidationError(
                    "--format: expected \(Self.formats.joined(separator: " or ")), found '\(format)'")
            }
            guard (output == nil) != (out == nil) else {
                throw ValidationError(
                    output == nil
                        ? "what to write is missing: give a file, or with --format transformers a folder"
                        : "--out and an argument both say what to write: give one of them")
            }
        }

        func run() throws {
            guard let path = output ?? out else { preconditionFailure("validated") }
            let target: CheckpointExchange.Target
            if format == OfficialForm.name {
                try files.check(path, as: .model)
                target = .official(path)
            } else if let format {
                try ForeignFolder.check(path, overwrite: files.overwrite)
                target = .folder(path, form: format)
            } else {
                try files.check(path, as: .model)
                target = .file(path)
            }
            let location = try CheckpointLocation(chosen.path)
            let manifest = try location.manifest(step: chosen.step)
            let digest = try CheckpointExchange.export(manifest, of: location.store, to: target)
            try Console.show("step \(manifest.step) -> \(path)")
            try Console.show("parameters sha256 \(digest)")
        }
    }

    struct Import: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "import",
            abstract: "Make a plain safetensors file, or a model of the transformers library, the beginning of a run.",
            discussion: """
                gecko checkpoint import model.safetensors run.toml --run.directory runs/tuned
                gecko train run.toml --run.directory runs/tuned --resume

                A file holds float32 tensors under the reference implementation's names, all those of the configured \
                model and no others; or those of a megalodon's or a mega's official state dict, axes of size 1 \
                included, in float32, bfloat16 or float16. The \
                optimizer's moments begin at zero, as in a new run.

                gecko checkpoint import Llama-2-7b-hf run.toml --run.directory runs/tuned
                gecko train runs/tuned/run.toml --resume

                A folder is one that the transformers library saved (LlamaForCausalLM): config.json beside \
                model.safetensors or the files of model.safetensors.index.json, in float32, bfloat16 or float16. The \
                section [model] comes from config.json; keys that are given must agree with it. The configuration \
                with both is left in the run's folder, as run.toml.
                """)

        @Argument(help: "The file or folder.", transform: pathOption)
        var model: String

        @OptionGroup var arguments: RunArguments

        func run() throws {
            let model = try CheckpointExchange.model(at: model)
            let configuration = try model.configuration(file: arguments.file, overrides: arguments.overrides) {
                try Console.show(Shown.escaped($0))
            }
            let run = try CheckpointExchange.import(
                model, configurationFile: arguments.file, configuration: configuration)
            let command = run.configuration.map { "gecko train \($0)" } ?? "gecko train, the same arguments and"
            try Console.show(
                """
                \(model.path) is the checkpoint of step 0 in \(run.path): go on from it with \(command) --resume
                """
            )
        }
    }
}
