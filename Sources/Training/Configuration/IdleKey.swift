import Model
import Pipeline
import Schedules
import Simulation

/// A key that was given and does nothing, because of what others say.
struct IdleKey: Sendable {
    let key: String
    /// Why the key does nothing in a resolved configuration; nil: it does something.
    let reason: @Sendable (RunConfiguration) -> String?

    /// Every such rule: the architecture's, and those of all.
    static func all(_ model: any Architecture) -> [IdleKey] {
        type(of: model).idleKeys.map { own in IdleKey(key: "model.\(own.key)") { own.reason($0.model) } } + common
    }

    /// To add one, add a line.
    private static let common: [IdleKey] = [
        .idle("checkpoint.keep", { $0.checkpoint.every == 0 }, "checkpoint.every is 0: no checkpoints are made"),
        .idle("checkpoint.keep_every", { $0.checkpoint.every == 0 }, "checkpoint.every is 0: no checkpoints are made"),
        .idle(
            "training.evaluate_every", { $0.data.heldOut == 0 }, "data.held_out is 0: there is no text to evaluate on"),
        .idle(
            "training.evaluate_sequences", { $0.data.heldOut == 0 },
            "data.held_out is 0: there is no text to evaluate on"),
        .idle("training.sample_prompt", { $0.training.sampleTokens == 0 }, "training.sample_tokens is 0"),
        .idle("training.sample_temperature", { $0.training.sampleTokens == 0 }, "training.sample_tokens is 0"),
        .idle(
            "training.sample_tokens",
            { $0.training.samplePrompt.isEmpty && !$0.data.packed && $0.training.sampleTokens > 0 },
            "training.sample_prompt is empty: there is nothing to continue"),
        IdleKey(key: "training.evaluate_every") {
            $0.training.evaluateEvery > $0.training.steps && $0.data.heldOut > 0
                ? "it is more than training.steps = \($0.training.steps): the only evaluation is at the end" : nil
        },
        IdleKey(key: "training.log_every") {
            $0.training.logEvery > $0.training.steps
                ? "it is more than training.steps = \($0.training.steps): the only line comes at the end" : nil
        },
        .idle("optimizer.decay_fraction", { $0.optimizer.schedule != .wsd }, "optimizer.schedule is not wsd"),
        .idle(
            "optimizer.minimum_ratio", { $0.optimizer.schedule == .constant },
            "optimizer.schedule is constant: the rate stays at its peak"),
        .idle("pipeline.stash_directory", { $0.pipeline.stash != .disk }, "pipeline.stash is not disk"),
        .idle("pipeline.shard_optimizer", { $0.pipeline.replicas == 1 }, "there is one replica only, which keeps all"),
        .idle(
            "pipeline.compress_messages", { $0.pipeline.stages == 1 },
            "there is one stage only: no activations are sent"),
        IdleKey(key: "pipeline.virtual") {
            $0.isFile ? "pipeline.schedule is a file, which says itself how many stages a rank holds" : nil
        },
        IdleKey(key: "pipeline.cap") {
            $0.isFile ? "pipeline.schedule is a file, which is taken as it is" : nil
        },
        IdleKey(key: "pipeline.costs") {
            if $0.isFile { return "pipeline.schedule is a file, which is taken as it is" }
            let searches = [AutoSchedule.name, ScheduleGenerator.memoryCapped.name].contains($0.pipeline.schedule)
            return searches || !$0.pipeline.cap.isEmpty
                ? nil : "schedule \($0.pipeline.schedule) has one order, whatever the costs"
        },
    ]

    private static func idle(
        _ key: String, _ isIdle: @escaping @Sendable (RunConfiguration) -> Bool, _ reason: String
    ) -> IdleKey {
        IdleKey(key: key) { isIdle($0) ? reason : nil }
    }
}

extension RunConfiguration {
    fileprivate var isFile: Bool { !ScheduleChoice.names.contains(pipeline.schedule) }

    /// What was given and is without effect, or odd, a line each; of a resolved configuration.
    package var notes: [String] {
        let defaults = self.defaults
        let idle = IdleKey.all(model).compactMap { rule -> String? in
            guard origins[rule.key] != nil, let key = keys[rule.key],
                key.value(in: self) != key.value(in: defaults), let reason = rule.reason(self)
            else { return nil }
            return "\(quote(rule.key)) has no effect: \(reason)"
        }
        return remarks + idle
    }
}
