import Simulation

extension RunConfiguration {
    /// Takes over the layout of a planned run: [pipeline] and machine.threads.
    package mutating func adopt(_ run: PlannedRun) {
        let candidate = run.candidate
        pipeline.stages = candidate.stages
        pipeline.replicas = candidate.replicas
        pipeline.schedule = candidate.schedule
        pipeline.virtual = candidate.virtualStages > 1 ? candidate.virtualStages : 0
        pipeline.slice = candidate.slice
        pipeline.recompute = candidate.recompute
        // Several stages a rank have no list of their own; the balanced split deals the layers out the same way.
        pipeline.layers = candidate.virtualStages > 1 ? .balanced : .explicit(run.layers)
        machine.threads = candidate.threads
    }

    /// What the command line says of the layout is settled; what a file says of it is the planner's to choose.
    package var planChoice: PlanChoice {
        func given<Value>(_ key: String, _ value: Value) -> Value? { origins[key] == .commandLine ? value : nil }
        var choice = PlanChoice()
        choice.stages = given("pipeline.stages", pipeline.stages)
        choice.replicas = given("pipeline.replicas", pipeline.replicas)
        choice.threads = given("machine.threads", machine.threads)
        choice.slice = given("pipeline.slice", pipeline.slice)
        choice.schedule = given("pipeline.schedule", pipeline.schedule)
        choice.recompute = given("pipeline.recompute", pipeline.recompute)
        return choice
    }
}
