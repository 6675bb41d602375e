import Foundation
import Testing
import Training

@Suite struct ConfigurationNoteTests {
    private func notes(_ overrides: [String], file: String? = nil) throws -> [String] {
        try RunConfiguration.load(file: file, overrides: ["--data.path=c.txt"] + overrides).validated(world: nil).notes
    }

    @Test(arguments: [
        ("checkpoint.keep_every", ["--checkpoint.every=0", "--checkpoint.keep_every=3"]),
        ("checkpoint.keep", ["--checkpoint.every=0", "--checkpoint.keep=7"]),
        ("training.evaluate_every", ["--data.held_out=0", "--training.evaluate_every=3"]),
        ("training.evaluate_sequences", ["--data.held_out=0", "--training.evaluate_sequences=3"]),
        ("training.evaluate_every", ["--training.steps=5", "--training.evaluate_every=30"]),
        ("training.log_every", ["--training.steps=5", "--training.log_every=30"]),
        ("training.sample_prompt", ["--training.sample_tokens=0", "--training.sample_prompt=x"]),
        ("training.sample_temperature", ["--training.sample_tokens=0", "--training.sample_temperature=1"]),
        ("optimizer.decay_fraction", ["--optimizer.decay_fraction=0.5"]),
        ("optimizer.minimum_ratio", ["--optimizer.schedule=constant", "--optimizer.minimum_ratio=0.5"]),
        ("model.rope_base", ["--model.rope_heads=0", "--model.rope_base=1e4"]),
        ("model.ema_dim", ["--model.ema=false", "--model.ema_dim=8"]),
        ("model.beta1", ["--model.timestep_norm=cumulative", "--model.beta1=0.9"]),
        ("model.beta2", ["--model.timestep_norm=cumulative", "--model.beta2=0.9"]),
        ("training.sample_tokens", ["--training.sample_tokens=5", "--training.sample_prompt="]),
        ("pipeline.stash_directory", ["--pipeline.stash_directory=/tmp"]),
        ("pipeline.shard_optimizer", ["--pipeline.shard_optimizer"]),
        ("pipeline.compress_messages", ["--pipeline.compress_messages"]),
        ("pipeline.costs", ["--pipeline.costs=costs.json"]),
        ("pipeline.virtual", ["--pipeline.schedule=mine.schedule", "--pipeline.virtual=2"]),
        ("pipeline.cap", ["--pipeline.schedule=mine.schedule", "--pipeline.cap=4"]),
    ])
    func `a key that does nothing is told, once, with the reason`(key: String, overrides: [String]) throws {
        let notes = try notes(overrides).filter { $0.hasPrefix("\(key) = ") }
        #expect(notes.count == 1 && notes[0].contains("has no effect: "), "\(notes)")
    }

    @Test func `what has its default, or does something, is not told`() throws {
        #expect(try notes([]).isEmpty)
        #expect(try notes(["--checkpoint.every=0", "--data.held_out=0", "--training.sample_tokens=0"]).isEmpty)
        #expect(try notes(["--optimizer.schedule=wsd", "--optimizer.decay_fraction=0.5"]).isEmpty)
        #expect(try notes(["--pipeline.schedule=auto", "--pipeline.costs=costs.json"]).isEmpty)
        // The resolved file has every key.
        let folder = try TemporaryFolder()
        let resolved = try RunConfiguration.load(file: nil, overrides: ["--data.path=c.txt"]).validated(world: nil)
        #expect(try notes([], file: try folder.write("config.toml", resolved.toml().utf8)).isEmpty)
    }

    @Test func `a key that is given twice is told`() throws {
        #expect(
            try notes(["--training.steps=5", "--training.steps", "6"]).contains {
                $0.contains("more than once") && $0.contains("6")
            })
        #expect(try notes(["--training.steps=6", "--training.steps", "6"]).isEmpty)
    }
}
