import Foundation
import TestSupport
import Testing

/// The two commands between runs and folders of the transformers library.
@Suite struct TransformersCommandTests {
    private static let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("ModelTests/Fixtures/transformers").path

    @Test func aFolderBecomesARunThatGoesOnAndAFolderAgain() async throws {
        let space = try Workspace()
        try space.write(
            "tune.toml",
            """
            [data]
            path = "\(space.path)/corpus.txt"
            sequence = 32

            [training]
            steps = 2
            batch = 2
            sample_tokens = 5
            """)
        let imported = try await space.gecko(
            "checkpoint", "import", Self.fixtures + "/tied", space.path + "/tune.toml", "--run.directory",
            space.path + "/tuned")
        #expect(imported.exitCode == 0, "\(imported.output)")
        #expect(imported.output.contains("[model] from \(Self.fixtures)/tied/config.json: "), "\(imported.output)")
        #expect(imported.output.contains("gecko train \(space.path)/tuned/run.toml --resume"), "\(imported.output)")
        // As the message says; also on more ranks than one, which the kept configuration leaves open.
        let trained = try await Mpirun.run("gecko", ["train", space.path + "/tuned/run.toml", "--resume"], ranks: 2)
        #expect(trained.exitCode == 0 && trained.output.contains("llama: "), "\(trained.output)")
        let folder = space.path + "/model"
        let exported = try await space.gecko(
            "checkpoint", "export", space.path + "/tuned", "--format", "transformers", "--out", folder)
        #expect(exported.exitCode == 0 && exported.digest == trained.digest, "\(exported.output)")
        let files = try FileManager.default.contentsOfDirectory(atPath: folder)
        #expect(files.sorted() == ["config.json", "model.safetensors"])
        let again = try await space.gecko(
            "checkpoint", "export", space.path + "/tuned", folder, "--format", "transformers")
        #expect(again.exitCode == 1 && again.output.contains("it holds a config.json already"), "\(again.output)")
        let over = try await space.gecko(
            "checkpoint", "export", space.path + "/tuned", folder, "--format", "transformers", "--overwrite")
        #expect(over.digest == trained.digest, "\(over.output)")
    }

    @Test func whatHasNoFormIsRefused() async throws {
        let space = try Workspace()
        let run = try await space.train(["--training.steps", "1"])
        #expect(run.exitCode == 0, "\(run.output)")
        let folder = space.path + "/model"
        let gecko = try await space.gecko(
            "checkpoint", "export", space.path + "/run", folder, "--format", "transformers")
        #expect(gecko.exitCode == 1 && gecko.output.contains("for a gecko: leave it out"), "\(gecko.output)")
        #expect(!FileManager.default.fileExists(atPath: folder))
        let other = try await space.gecko("checkpoint", "export", space.path + "/run", folder, "--format", "gguf")
        let expected = "--format: expected official or transformers, found 'gguf'"
        #expect(other.exitCode != 0 && other.output.contains(expected), "\(other.output)")
        for words in [[String](), [folder, "--out", folder]] {
            let outcome = try await Mpirun.run(
                "gecko", ["checkpoint", "export", space.path + "/run"] + words, ranks: 0)
            #expect(outcome.exitCode != 0 && outcome.output.contains("what to write"), "\(outcome.output)")
        }
    }
}
