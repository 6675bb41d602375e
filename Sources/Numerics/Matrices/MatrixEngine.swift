import Hardware
import Kernels

/// The engines that multiply matrices. A new one is a folder beside this file with a class that keeps `MatrixProducts`,
/// and a case here.
package enum MatrixEngine: String, Sendable, CaseIterable {
    /// Our own packed panels and register tiles.
    case tiles
    /// OpenBLAS, called by our workers on blocks of rows.
    case openblas

    /// The engine that serves this CPU best: tiles where it has a level for them.
    package static var automatic: MatrixEngine { isMeantForTiles(KernelTable.best) ? .tiles : .openblas }

    /// Whether kernels of this level have tiles worth having: with fused multiply-adds (AVX2 or better).
    static func isMeantForTiles(_ kernels: KernelTable) -> Bool { kernels.level >= 3 }

    /// Ready for a team.
    /// - Throws: what is missing here for it
    package func products(on team: Team, precision: Precision = .f32) throws(MatrixEngineError) -> any MatrixProducts {
        try check(precision)
        switch self {
        case .tiles: return TileProducts(team, precision: precision)
        case .openblas: return OpenBLASProducts(team, try OpenBLASLibrary.opened.get())
        }
    }

    /// - Throws: what is missing here for products in this precision, and what to do about it
    package func check(_ precision: Precision) throws(MatrixEngineError) {
        switch self {
        case .tiles:
            guard precision.isSupported else {
                throw MatrixEngineError(
                    "matrix products in \(precision.rawValue) by tiles: this CPU has no instructions for them (bf16 "
                        + "needs AVX512-BF16); use f32")
            }
        case .openblas:
            guard precision == .f32 else {
                throw MatrixEngineError(
                    "matrix products in \(precision.rawValue) by OpenBLAS: its builds don't export cblas_sbgemm; use "
                        + "f32, or tiles for \(precision.rawValue)")
            }
            _ = try OpenBLASLibrary.opened.get()
        }
    }

    /// Bytes that a prepared weight [depth, columns] takes beside the weight itself, at the most.
    package func preparedBytes(depth: Int, columns: Int, _ precision: Precision) -> Int {
        let type: any MatrixProducts.Type =
            switch self {
            case .tiles: TileProducts.self
            case .openblas: OpenBLASProducts.self
            }
        return type.preparedBytes(depth: depth, columns: columns, precision)
    }

    /// What the bits of its products depend on beside the CPU's fused multiply-adds, of this machine; nil: nothing.
    package var library: String? { self == .openblas ? description : nil }

    /// For people, of this machine: "tiles (AVX-512)", "OpenBLAS 0.3.21, core type Zen".
    package var description: String {
        switch self {
        case .tiles: return "tiles (\(KernelTable.best.levelName))"
        case .openblas:
            switch OpenBLASLibrary.opened {
            case .success(let library): return "OpenBLAS \(library.version), core type \(library.coreType)"
            case .failure: return "OpenBLAS (not usable here)"
            }
        }
    }
}

extension MatrixEngine {
    /// All engines of this machine for people, the one that serves it best first.
    package static var summary: String {
        let others = allCases.filter { $0 != .automatic }.map { engine in
            do {
                try engine.check(.f32)
                return "\(engine.description) with machine.matrices = \"\(engine.rawValue)\""
            } catch {
                return "\(engine.rawValue) cannot be used here"
            }
        }
        return ([automatic.description] + others).joined(separator: "; ")
    }
}

/// What a user says about the engine.
package enum MatrixChoice: String, Sendable, CaseIterable {
    case auto, tiles, openblas

    /// Nil: what serves the CPU best.
    package var engine: MatrixEngine? { MatrixEngine(rawValue: rawValue) }

    package init(_ engine: MatrixEngine) {
        switch engine {
        case .tiles: self = .tiles
        case .openblas: self = .openblas
        }
    }
}

/// An engine can't be used here.
package struct MatrixEngineError: Error, CustomStringConvertible, Sendable {
    package let description: String

    init(_ description: String) { self.description = description }
}
