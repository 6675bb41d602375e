import Pipeline

/// What a configuration comes to: what every rank must know before it starts.
package protocol RunPlan: Sendable {
    var configuration: RunConfiguration { get }
    var pipeline: PipelinePlan { get }

    /// - Parameter configuration: validated.
    init(_ configuration: RunConfiguration) throws
}

extension TrainingPlan: RunPlan {}
