import Model

extension ConfigurationKey {
    /// Every key but those of the architecture, in the order of help, example and resolved file.
    static let common: [ConfigurationKey] = data + training + optimizer + pipeline + machine + checkpoint + run

    private static let mostRanks = 1 << 16

    private static let data: [ConfigurationKey] = [
        // Free, because the text itself is compared: it may lie elsewhere.
        .paths(
            .data, "path", \.data.path, .free,
            """
            Text to train on: a file, a folder (all files in it, at any depth, links followed, hidden ones left \
            out), or several: separated by commas, or as a list such as [\"a.txt\", \"b\"], in which a path may \
            have commas of its own.
            """,
            example: "corpus.txt"),
        .number(
            .data, "held_out", \.data.heldOut, .anotherRun, .belowOne(atMost: 0.9999),
            "Share of the tokens, the last ones, kept for evaluation."),
        .integer(
            .data, "sequence", \.data.sequence, .anotherRun, .atLeast(1),
            "Tokens per sequence; a multiple of slice and chunk."),
        .boolean(
            .data, "packed", \.data.packed, .anotherRun,
            "Mark each document's beginning with a bos token (256): attention and memory do not cross it."),
        .text(
            .data, "separator", \.data.separator, .anotherRun,
            """
            With packed: text that ends a document within a file, with \\n for a line's end, \\t for a tab, \\\\ \
            for a backslash, \\xNN for any byte; \"\" = only the ends of files do.
            """
        ),
        .boolean(
            .data, "streams", \.data.streams, .anotherRun,
            "Each sequence of the batch reads on where it stopped, with the state carried from step to step."),
        .integer(
            .data, "stream_context", \.data.streamContext, .anotherRun, .atLeast(0, atMost: 1 << 40),
            """
            With streams: so many tokens before a sequence are still seen by layers that keep every token (llama, mega \
            with chunk = 0), which need it; nothing is learned through them. 0 elsewhere.
            """
        ),
    ]

    private static let training: [ConfigurationKey] = [
        .integer(.training, "steps", \.training.steps, .otherNumbers, .atLeast(1), "Optimizer steps."),
        .integer(
            .training, "batch", \.training.batch, .anotherRun, .atLeast(1, atMost: 1 << 24),
            "Sequences per step over all replicas; a multiple of replicas."),
        .integer(
            .training, "seed", \.training.seed, .anotherRun, .atLeast(0),
            "Seed of initialisation, order of the data and dropout."),
        .integer(
            .training, "evaluate_every", \.training.evaluateEvery, .free, .atLeast(0),
            "Steps between evaluations on the held-out text; 0 = only at the end."),
        .integer(
            .training, "evaluate_sequences", \.training.evaluateSequences, .free, .atLeast(0),
            "Held-out sequences per evaluation, from the beginning of the held-out text; 0 = all."),
        .integer(.training, "log_every", \.training.logEvery, .free, .atLeast(1), "Steps between lines of progress."),
        .text(.training, "sample_prompt", \.training.samplePrompt, .free, "Prompt continued at the end of the run."),
        .integer(
            .training, "sample_tokens", \.training.sampleTokens, .free, .atLeast(0, atMost: 1_000_000),
            "Tokens of that continuation; 0 = none."),
        .number(
            .training, "sample_temperature", \.training.sampleTemperature, .free, .notNegative(within: 0...1000),
            "Its temperature; 0 = always the likeliest token."),
        .integer(
            .training, "max_nonfinite", \.training.maxNonfinite, .free, .atLeast(1),
            "The run stops with an error after so many steps in a row whose gradient is not finite; each is skipped."),
    ]

    private static let optimizer: [ConfigurationKey] = [
        .number(
            .optimizer, "learning_rate", \.optimizer.learningRate, .otherNumbers, .positive(within: 1e-20...1e30),
            "Peak learning rate; times weight_decay it is below 1."),
        .number(
            .optimizer, "minimum_ratio", \.optimizer.minimumRatio, .otherNumbers, .share,
            "Learning rate at the end, as a share of the peak."),
        .choice(
            .optimizer, "schedule", \.optimizer.schedule, .otherNumbers,
            "Learning rate after warm-up: a cosine, warm-up / stable / decay (wsd), or constant."),
        .integer(.optimizer, "warmup", \.optimizer.warmup, .otherNumbers, .atLeast(0), "Steps of linear warm-up."),
        .number(
            .optimizer, "decay_fraction", \.optimizer.decayFraction, .otherNumbers, .share,
            "With wsd: share of all steps, the last ones, over which the rate falls."),
        .number(
            .optimizer, "beta1", \.optimizer.beta1, .otherNumbers, .belowOne(atMost: ValueConstraint.largestDecay),
            "Decay of the gradient's running mean."),
        .number(
            .optimizer, "beta2", \.optimizer.beta2, .otherNumbers, .belowOne(atMost: ValueConstraint.largestDecay),
            "Decay of the squared gradient's running mean."),
        .number(
            .optimizer, "eps", \.optimizer.eps, .otherNumbers, .positive(within: 1e-30...1),
            "Added to the root of the squared gradient's mean."),
        .number(
            .optimizer, "weight_decay", \.optimizer.weightDecay, .otherNumbers, .notNegative(within: 0...1e30),
            "Decoupled weight decay, on matrices only."),
        .number(
            .optimizer, "clip", \.optimizer.clip, .otherNumbers, .notNegative(within: 1e-10...1e30),
            "Largest global norm of the gradient; 0 = no clipping."),
    ]

    private static let pipeline: [ConfigurationKey] = [
        .integer(
            .pipeline, "stages", \.pipeline.stages, .free, .atLeast(0, atMost: mostRanks),
            "Pipeline stages; 0 = ranks / replicas under a launcher, otherwise 1 (or one for each entry of layers)."),
        .integer(
            .pipeline, "replicas", \.pipeline.replicas, .otherNumbers, .atLeast(1, atMost: mostRanks),
            "Copies of the pipeline that share the batch; ranks = stages x replicas."),
        .boolean(
            .pipeline, "shard_optimizer", \.pipeline.shardOptimizer, .free,
            """
            Each replica keeps AdamW's moments of its share of the tensors only, and sends the others what it \
            updates: less memory, the same numbers. One replica keeps all.
            """
        ),
        .path(
            .pipeline, "schedule", \.pipeline.schedule, .free, .plain,
            """
            Order of forward and backward slices: a schedule's name (gecko simulate --help lists them) or a \
            schedule file.
            """
        ),
        .integer(
            .pipeline, "virtual", \.pipeline.virtual, .free, .atLeast(0, atMost: 1 << 14),
            "Stages that each rank holds, for schedules that allow several; 0 = the schedule's choice."),
        .text(
            .pipeline, "cap", \.pipeline.cap, .free,
            """
            Most that a rank may hold, in units such as 12, as 2x what 1f1b holds, or in bytes such as 4GiB (needs \
            costs): for memory-capped and auto.
            """
        ),
        .path(
            .pipeline, "costs", \.pipeline.costs, .free, .plain,
            "A costs.json for schedules that search; empty = forward, input and weight gradient take equally long."),
        .integer(
            .pipeline, "slice", \.pipeline.slice, .otherNumbers, .atLeast(0),
            "Tokens per slice, a multiple of chunk; 0 = the whole sequence."),
        .choice(
            .pipeline, "slices", \.pipeline.slices, .otherNumbers,
            """
            equal = all slices have so many tokens; balanced = as many slices, but such that each takes equally long: \
            the first ones are longer where a token's work grows with what is before it (llama).
            """
        ),
        .boolean(
            .pipeline, "recompute", \.pipeline.recompute, .free,
            "Keep only each slice's input and state, and run forward again before backward: less memory, more time."),
        .choice(
            .pipeline, "stash", \.pipeline.stash, .free,
            """
            Where what slices keep for their backward waits: in memory, or on a disk, with memory that doesn't \
            grow with the sequence.
            """
        ),
        .path(
            .pipeline, "stash_directory", \.pipeline.stashDirectory, .free, .plain,
            """
            With stash = disk: a folder on a disk of the node; \"\" = $TMPDIR, or /var/tmp. No file shows in it, \
            none is left.
            """
        ),
        .boolean(
            .pipeline, "compress_messages", \.pipeline.compressMessages, .otherNumbers,
            """
            Send activations and their gradients as bfloat16: half the bytes, and numbers that depend on the \
            number of ranks.
            """
        ),
        .layerSplit(
            .pipeline, "layers", \.pipeline.layers, .free,
            "Layers per stage: by cost (embedding and output layer counted), equal counts, or a list."),
    ]

    private static let machine: [ConfigurationKey] = [
        .integer(
            .machine, "threads", \.machine.threads, .free, .atLeast(0),
            """
            Worker threads per rank, each pinned to a core, at most 64 a core; 0 = share the node's cores, or what \
            a quota leaves of them, evenly.
            """
        ),
        .choice(
            .machine, "matrices", \.machine.matrices, .otherNumbers,
            "What multiplies matrices: our own tiles, which are made for AVX2 and AVX-512, or OpenBLAS (f32 only); "
                + "auto = tiles where the CPU has a level for them, else openblas. The two differ in their last bits."
        ),
        .number(
            .machine, "patience", \.machine.patience, .free, .positive(within: 0.01...1e7),
            "Seconds a rank waits for another until all report who is missing and the run ends; longer than any step."
        ),
    ]

    private static let checkpoint: [ConfigurationKey] = [
        .integer(
            .checkpoint, "every", \.checkpoint.every, .free, .atLeast(0),
            "Steps between checkpoints, from which gecko train goes on; the end of the run makes one too. 0 = none."),
        .integer(
            .checkpoint, "keep", \.checkpoint.keep, .free, .atLeast(1), "Checkpoints that stay: the newest so many."),
        .integer(
            .checkpoint, "keep_every", \.checkpoint.keepEvery, .free, .atLeast(0),
            "Besides, every so many-th checkpoint stays for ever; 0 = none does."),
        .path(
            .checkpoint, "directory", \.checkpoint.directory, .free, .with("run"),
            "Where they go, seen by all ranks; {run} = the run's directory."),
        .integer(
            .checkpoint, "local_every", \.checkpoint.localEvery, .free, .atLeast(0),
            "Steps between checkpoints in node-local storage, each rank's copied to another node; 0 = none."),
        .path(
            .checkpoint, "local_directory", \.checkpoint.localDirectory, .free, .with("run", "rank"),
            "Where those go, on each node; {run} = the run's directory, {rank} = the rank."),
    ]

    private static let run: [ConfigurationKey] = [
        .path(
            .run, "directory", \.run.directory, .free, .with("name", "time"),
            "Folder for the results; {name} = name of the configuration file without ending, {time} = start time."
        ),
        .boolean(.run, "overwrite", \.run.overwrite, .free, "Replace the run that the folder already holds."),
        .integer(
            .run, "trace_steps", \.run.traceSteps, .free, .atLeast(0, atMost: 1000),
            "Late steps drawn in timeline.svg and trace.json; 0 = no trace."),
    ]
}
