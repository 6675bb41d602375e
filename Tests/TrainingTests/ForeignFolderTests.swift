import Checkpoints
import Files
import Foundation
import Hardware
import JSON
import Model
import Numerics
import TestSupport
import Testing
import Training

/// Folders that the transformers library saved: read, written, and refused where they hold what our Llama isn't.
@Suite struct ForeignFolderTests {
    private static let fixtures = package.appendingPathComponent("Tests/ModelTests/Fixtures/transformers").path
    static let names = ["untied", "tied", "half"]

    /// What is compared as a whole may differ from the library by so much of the largest number.
    private static let tolerance = 1e-5

    /// A folder with a text and a run's configuration, which names no architecture.
    private static func space(_ model: String = "") throws -> TemporaryFolder {
        let space = try TemporaryFolder()
        _ = try space.write("text.txt", (0..<4000).map { UInt8(97 + $0 * $0 % 23) })
        _ = try space.write(
            "run.toml",
            """
            [model]
            \(model)
            [data]
            path = "\(space.path)/text.txt"
            sequence = 32
            [run]
            directory = "\(space.path)/run"
            """.utf8)
        return space
    }

    private static func imported(_ folder: String, _ space: TemporaryFolder, _ overrides: [String] = []) throws -> (
        configuration: RunConfiguration, told: String
    ) {
        var told: [String] = []
        let configuration = try ForeignFolder(folder).configuration(
            file: space.file("run.toml"), overrides: overrides
        ) { told.append($0) }
        return (configuration, told.joined(separator: "\n"))
    }

    /// Our logits, in slices of 10 tokens, agree with the library's.
    private static func expectLogits(_ folder: String, of name: String) throws {
        let golden = try SafetensorsFile("\(fixtures)/\(name)-logits.safetensors")
        let (tokens, expected) = (try golden.int32s("tokens"), try golden.floats("logits"))
        let source = try ForeignFolder(folder)
        let model = try #require(source.model as? LlamaConfiguration)
        let length = try golden.entry("tokens").shape[1]
        let run = ModelRun(model, longest: length, team: Team())
        let specs = source.form.tensors(of: model).map(\.spec)
        try source.check(specs, of: model)
        let store = run.stage.store
        try source.visit(specs, of: model) { spec, bytes in
            for entry in store.entries.map(\.spec) where (entry.copyOf ?? entry.name) == spec.name {
                UnsafeMutableRawPointer(try #require(store.value(entry.name))).copyMemory(
                    from: try #require(bytes.baseAddress), byteCount: bytes.count)
            }
        }
        var found: [Float] = []
        for row in 0..<tokens.count / length {
            run.stage.beginStep()
            let stream = ModelRun<LlamaConfiguration>.Stream(run)
            for start in stride(from: 0, to: length, by: 10) {
                let slice = tokens[(row * length + start)..<(row * length + min(start + 10, length))]
                found += run.forward(stream, tokens: Array(slice), targets: nil, lossScale: 0).logits
            }
            run.stage.endStep()
        }
        let deviation = deviation(found.map(Double.init), from: expected.map(Double.init))
        #expect(deviation < tolerance, "\(deviation)")
    }

    @Test(arguments: names) func logitsAreThoseOfTheLibrary(name: String) throws {
        try Self.expectLogits("\(Self.fixtures)/\(name)", of: name)
    }

    @Test(arguments: names) func anImportedModelIsExportedAsItWas(name: String) throws {
        let (space, original) = (try Self.space(), "\(Self.fixtures)/\(name)")
        let (configuration, _) = try Self.imported(original, space)
        let run = try CheckpointExchange.import(
            ForeignFolder(original), configurationFile: space.file("run.toml"), configuration: configuration)
        let location = try CheckpointLocation(run.path)
        let exported = space.file("exported")
        _ = try CheckpointExchange.export(
            try location.manifest(step: nil), of: location.store, to: .folder(exported, form: "transformers"))
        let (before, after) = (try SafetensorsFolder(original), try SafetensorsFolder(exported))
        #expect(Set(before.names) == Set(after.names))
        for tensor in after.names {
            #expect(try before.entry(tensor).shape == after.entry(tensor).shape)
            #expect(try after.entry(tensor).type == .float32)
            let (a, b) = (try before.floats(tensor), try after.floats(tensor))
            // A norm's weight loses its 1 and gets it back; all others are the same bits.
            let rounding: Float = tensor.contains("norm") ? 1.2e-7 : 0
            #expect(zip(a, b).allSatisfy { abs($0 - $1) <= rounding }, "\(tensor)")
        }
        try Self.expectLogits(exported, of: name)
        #expect(try SafetensorsFile("\(exported)/model.safetensors").metadata == ["format": "pt"])
        try expectSameDescription(original, exported)
    }

    /// What the library wrote and what we write mean the same, but for what the library notes for itself.
    private func expectSameDescription(_ original: String, _ exported: String) throws {
        let old = try JSONParser.parse(SmallFile.read("\(original)/config.json"))
        let new = try JSONParser.parse(SmallFile.read("\(exported)/config.json"))
        for key in [
            "architectures", "attention_bias", "head_dim", "hidden_act", "hidden_size", "intermediate_size",
            "mlp_bias", "model_type", "num_attention_heads", "num_hidden_layers", "num_key_value_heads",
            "tie_word_embeddings", "vocab_size",
        ] { #expect(old[key]?.value == new[key]?.value, "\(key)") }
        #expect(old["rms_norm_eps"]?.number == new["rms_norm_eps"]?.number)
        #expect(old["rope_parameters"]?["rope_theta"]?.number == new["rope_theta"]?.number)
        #expect(new["max_position_embeddings"]?.integer == 32 && new["torch_dtype"]?.string == "float32")
    }

    @Test func theSectionOfTheModelComesFromTheFolder() throws {
        let folder = "\(Self.fixtures)/untied"
        let (configuration, told) = try Self.imported(folder, try Self.space())
        let model = try #require(configuration.model as? LlamaConfiguration)
        #expect((model.layers, model.dim, model.heads, model.keyHeads, model.ffnDim) == (2, 16, 4, 2, 24))
        #expect(model.vocabulary == 257 && model.eps == 3e-5 && model.ropeBase == 5e5 && !model.tieEmbeddings)
        #expect(
            told.hasPrefix("[model] from \(folder)/config.json: vocabulary = 257, dim = 16, layers = 2,"), "\(told)")
        // What says the same is no news; what is at its default gives way.
        let agreeing = try Self.space("architecture = \"llama\"\nlayers = 2\ndim = 192\nprecision = \"f32\"")
        let (same, less) = try Self.imported(folder, agreeing, ["--model.heads", "4"])
        #expect(same == (try Self.imported(folder, agreeing).configuration) && same.model.dim == 16)
        #expect(!less.contains("layers =") && less.contains("dim = 16") && !less.contains(" heads ="), "\(less)")
    }

    @Test(arguments: [
        ("layers = 3", "model.layers = 3 (at ", "config.json says num_hidden_layers = 2"),
        ("rope_base = 2e4", "model.rope_base = 20000", "says rope_theta = 500000"),
        ("tie_embeddings = true", "model.tie_embeddings = true", "says tie_word_embeddings = false"),
        ("architecture = \"gecko\"", "model.architecture = \"gecko\" (at ", "describes a llama"),
        ("chunk = 16", "unknown key model.chunk", "run.toml:2"),
    ]) func aSectionThatSaysOtherwiseIsRefused(model: String, found: String, expected: String) throws {
        let error = try #require(throws: ConfigurationError.self) {
            try Self.imported("\(Self.fixtures)/untied", try Self.space(model))
        }
        #expect("\(error)".contains(found) && "\(error)".contains(expected), "\(error)")
    }

    /// A fixture with another text in its description.
    private static func changed(_ name: String, _ old: String, _ new: String) throws -> TemporaryFolder {
        let space = try TemporaryFolder()
        for file in try FileManager.default.contentsOfDirectory(atPath: "\(fixtures)/\(name)") {
            try FileManager.default.copyItem(atPath: "\(fixtures)/\(name)/\(file)", toPath: space.file(file))
        }
        let text = try String(contentsOfFile: space.file("config.json"), encoding: .utf8)
        #expect(text.contains(old))
        _ = try space.write("config.json", text.replacingOccurrences(of: old, with: new).utf8)
        return space
    }

    @Test(arguments: [
        ("\"model_type\": \"llama\"", "\"model_type\": \"mistral\"", "model_type is \"mistral\"; expected model_type"),
        ("\"model_type\": \"llama\",", "", "model_type is missing; expected model_type \"llama\""),
        ("\"hidden_act\": \"silu\"", "\"hidden_act\": \"gelu\"", "hidden_act is \"gelu\"; expected \"silu\""),
        ("\"attention_bias\": false", "\"attention_bias\": true", "attention_bias is true; expected false"),
        ("\"mlp_bias\": false", "\"mlp_bias\": true", "mlp_bias is true; expected false"),
        ("\"head_dim\": 4", "\"head_dim\": 8", "head_dim is 8; expected 4"),
        ("LlamaForCausalLM", "LlamaModel", "architectures is [\"LlamaModel\"]; expected [\"LlamaForCausalLM\"]"),
        (
            "\"rope_type\": \"default\"", "\"rope_type\": \"linear\", \"factor\": 2.0",
            "rope_parameters.rope_type is \"linear\"; expected \"default\""
        ),
        (
            "\"use_cache\": true", "\"rope_scaling\": {\"type\": \"dynamic\", \"factor\": 2.0}",
            "rope_scaling.factor is 2.0; expected nothing of this name"
        ),
        ("\"use_cache\": true", "\"rope_theta\": 10000.0", "rope_parameters.rope_theta is 500000.0; expected 10000.0"),
        ("\"use_cache\": true", "\"quantization_config\": {\"bits\": 4}", "quantization_config.bits is 4; expected"),
        ("\"hidden_size\": 16,", "", "hidden_size is missing: expected an integer of at least 2"),
        ("\"vocab_size\": 257", "\"vocab_size\": -1", "vocab_size is -1; expected an integer of at least 0"),
        ("\"rms_norm_eps\": 3e-05", "\"rms_norm_eps\": \"3e-5\"", "rms_norm_eps is \"3e-5\"; expected a number"),
        ("\"hidden_size\": 16,", "\"hidden_size\": 16", "config.json:13:3: expected ',' or '}'"),
    ]) func whatOurLlamaIsNotIsRefused(old: String, new: String, message: String) throws {
        let folder = try Self.changed("untied", old, new)
        let error = try #require(throws: (any Error).self) { try ForeignFolder(folder.path) }
        #expect("\(error)".contains("\(folder.path)/config.json") && "\(error)".contains(message), "\(error)")
    }

    @Test func whatNobodyKnowsIsTold() throws {
        let folder = try Self.changed("untied", "\"use_cache\": true", "\"router\": {\"experts\": 2, \"top\": 1}")
        let told = try Self.imported(folder.path, try Self.space()).told
        #expect(told.contains("note: \(folder.path)/config.json also says router, which"), "\(told)")
        #expect(!(try Self.imported("\(Self.fixtures)/tied", try Self.space()).told.contains("also says")))
    }

    @Test func tensorsThatDontFitTheDescriptionAreRefused() throws {
        func fault(_ name: String, _ old: String, _ new: String) throws -> String {
            let space = try Self.changed(name, old, new)
            let folder = try ForeignFolder(space.path)
            let specs = folder.form.tensors(of: folder.model).map(\.spec)
            return try withExtendedLifetime(space) {
                "\(try #require(throws: (any Error).self) { try folder.check(specs, of: folder.model) })"
            }
        }
        #expect(
            try fault("untied", "\"num_hidden_layers\": 2", "\"num_hidden_layers\": 3").contains(
                "lacks 9 of the 30 tensors that its config.json asks for, such as 'model.layers.2."))
        #expect(
            try fault("untied", "\"num_hidden_layers\": 2", "\"num_hidden_layers\": 1").contains(
                "has a tensor 'model.layers.1."))
        #expect(
            try fault("untied", "\"intermediate_size\": 24", "\"intermediate_size\": 32").contains(
                "tensor 'model.layers.0.mlp.gate_proj.weight' is F32 [24, 16]; config.json asks for [32, 16]"))
        // An output matrix of its own, where the description ties it.
        #expect(
            try fault("untied", "\"tie_word_embeddings\": false", "\"tie_word_embeddings\": true").contains(
                "'lm_head.weight' isn't the same as 'model.embed_tokens.weight'"))
        #expect(
            try fault("tied", "\"tie_word_embeddings\": true", "\"tie_word_embeddings\": false").contains(
                "lacks 1 of the 21 tensors that its config.json asks for, such as 'lm_head.weight'"))
    }

    @Test func whatRepeatsOrFollowsFromTheRestMayBeThere() throws {
        let original = try SafetensorsFolder("\(Self.fixtures)/tied")
        let space = try TemporaryFolder()
        _ = try space.write("config.json", SmallFile.read("\(Self.fixtures)/tied/config.json"))
        let (embedding, angles) = ("model.embed_tokens.weight", "model.layers.0.self_attn.rotary_emb.inv_freq")
        var tensors = try original.names.map { ($0, try original.entry($0).shape, try original.floats($0)) }
        tensors.append(("lm_head.weight", try original.entry(embedding).shape, try original.floats(embedding)))
        tensors.append((angles, [4], [1, 0.1, 0.01, 0.001]))
        let writer = try SafetensorsWriter(
            space.file("model.safetensors"), tensors.map { .init($0.0, .float32, $0.1) })
        for (name, _, values) in tensors { try writer.write(name, values) }
        try writer.finish()
        try Self.expectLogits(space.path, of: "tied")
    }

    @Test func otherFoldersAreRefused() throws {
        let space = try TemporaryFolder()
        let none = try #require(throws: ModelFileError.self) { try ForeignFolder(space.path) }
        #expect("\(none)".contains("a folder without a config.json"), "\(none)")
        let config = try String(contentsOfFile: "\(Self.fixtures)/untied/config.json", encoding: .utf8)
        _ = try space.write("config.json", config.utf8)
        let empty = try #require(throws: SafetensorsError.self) { try ForeignFolder(space.path) }
        #expect("\(empty)".contains("neither model.safetensors nor model.safetensors.index.json"), "\(empty)")
        let taken = try #require(throws: FileError.self) { try ForeignFolder.check(space.path, overwrite: false) }
        #expect("\(taken)".contains("it holds a config.json already"), "\(taken)")
        try ForeignFolder.check(space.path, overwrite: true)
        let gecko = try #require(throws: ModelFileError.self) {
            try ForeignFolder.form("transformers", of: GeckoConfiguration.self)
        }
        #expect("\(gecko)".contains("no format \"transformers\" for a gecko"), "\(gecko)")
    }
}

extension SafetensorsFolder {
    fileprivate func floats(_ name: String) throws -> [Float] { try file(with: name).widened(name) }
}
