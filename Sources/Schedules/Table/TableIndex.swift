/// Numbers every product of every unit at every stage, for arrays that stand beside a table.
public struct TableIndex: Sendable {
    public let stages: Int
    public let slices: Int
    public let units: Int

    public init(_ shape: ScheduleShape) {
        stages = shape.stages
        slices = shape.slices
        units = shape.units
    }

    /// The number of (stage, unit) pairs.
    public var size: Int { stages * units }

    /// The number of products: every `subscript` value is below it.
    public var productCount: Int { Product.allCases.count * size }

    public func unit(stage: Int, sequence: Int, slice: Int) -> Int {
        stage * units + sequence * slices + slice
    }

    public func unit(_ action: Action) -> Int {
        unit(stage: action.stage, sequence: action.sequence, slice: action.slice)
    }

    public func product(_ dependency: Dependency) -> Int {
        dependency.product.rawValue * size
            + unit(stage: dependency.stage, sequence: dependency.sequence, slice: dependency.slice)
    }

    /// The product by which `action`'s completion is known.
    public func product(of action: Action) -> Int {
        Product(of: action.kind).rawValue * size + unit(action)
    }
}
