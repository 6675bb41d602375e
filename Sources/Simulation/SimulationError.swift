/// Costs, a network or a request that a simulation cannot run on; the text says what was expected and found.
public struct SimulationError: Error, Equatable, CustomStringConvertible {
    public let description: String

    public init(_ description: String) { self.description = description }
}
