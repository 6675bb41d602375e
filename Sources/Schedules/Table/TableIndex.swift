/// Numbers every product of every unit at every stage, for arrays that stand beside a table.
public struct TableIndex: Sendable {
    /// Stages of all ranks.
    public let stages: Int
    /// Slices of each sequence.
    public let slices: Int
    /// Units of a stage: sequences times slices.
    public let units: Int

    /// Numbers for the actions of a shape.
    public init(_ shape: ScheduleShape) {
        stages = shape.stages
        slices = shape.slices
        units = shape.units
    }

    /// The number of (stage, unit) pairs.
    public var size: Int { stages * units }

    /// The number of products: every `subscript` value is below it.
    public var productCount: Int { Product.allCases.count * size }

    /// The number of a unit at a stage, from 0.
    public func unit(stage: Int, sequence: Int, slice: Int) -> Int {
        stage * units + sequence * slices + slice
    }

    /// The number of an action's unit at its stage.
    public func unit(_ action: Action) -> Int {
        unit(stage: action.stage, sequence: action.sequence, slice: action.slice)
    }

    /// The number of what a dependency asks for.
    public func product(_ dependency: Dependency) -> Int {
        dependency.product.rawValue * size
            + unit(stage: dependency.stage, sequence: dependency.sequence, slice: dependency.slice)
    }

    /// The product by which `action`'s completion is known.
    public func product(of action: Action) -> Int {
        Product(of: action.kind).rawValue * size + unit(action)
    }
}
