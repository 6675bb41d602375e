/// Numbers every product of every unit at every stage, for arrays that stand beside a table.
package struct TableIndex: Sendable {
    package let stages: Int
    package let slices: Int
    package let units: Int

    package init(_ shape: ScheduleShape) {
        stages = shape.stages
        slices = shape.slices
        units = shape.units
    }

    /// The number of (stage, unit) pairs.
    package var size: Int { stages * units }

    /// The number of products: every `subscript` value is below it.
    package var productCount: Int { Product.allCases.count * size }

    package func unit(stage: Int, sequence: Int, slice: Int) -> Int {
        stage * units + sequence * slices + slice
    }

    package func unit(_ action: Action) -> Int {
        unit(stage: action.stage, sequence: action.sequence, slice: action.slice)
    }

    package func product(_ dependency: Dependency) -> Int {
        dependency.product.rawValue * size
            + unit(stage: dependency.stage, sequence: dependency.sequence, slice: dependency.slice)
    }

    /// The product by which `action`'s completion is known.
    package func product(of action: Action) -> Int {
        Product(of: action.kind).rawValue * size + unit(action)
    }
}
