// swift-tools-version: 6.2
import PackageDescription

// Kernels are compiled from one source folder once per CPU level (KernelsV3, KernelsV4 and KernelsV4BF16 are
// symlinks to KernelsBaseline); `Kernels` chooses at run time. "-O" keeps them fast in debug builds too.
func cpuLevel(_ clang: String..., define: String? = nil) -> [SwiftSetting] {
    // On other machines the baseline is the one level that runs; the other two compile like it and are never chosen.
    #if arch(x86_64)
        let flags = clang.flatMap { ["-Xcc", $0] }
    #else
        let flags: [String] = []
    #endif
    return [.unsafeFlags(flags + ["-O"])] + (define.map { [.define($0)] } ?? [])
}

/// GECKO_MPI says what MPI is built with, by name; another pkg-config package can be named for it. (jobs/setup.sh makes
/// one of what a site's mpicc says; GECKO_MPI_RUNPATH then names folders in which the library is to be found when gecko
/// starts, separated by colons.)
func environment(_ name: String) -> String? { Context.environment[name].flatMap { $0.isEmpty ? nil : $0 } }
let mpiPackages = [
    "openmpi": (name: "ompi-c", debian: "libopenmpi-dev"), "mpich": (name: "mpich", debian: "libmpich-dev"),
]
let mpi = environment("GECKO_MPI") ?? "openmpi"
guard let mpiPackage = environment("GECKO_MPI_PKGCONFIG") ?? mpiPackages[mpi]?.name else {
    fatalError(
        "GECKO_MPI=\(mpi): expected \(mpiPackages.keys.sorted().joined(separator: " or ")),"
            + " or GECKO_MPI_PKGCONFIG with the pkg-config name of another MPI")
}
let mpiRunPaths = (environment("GECKO_MPI_RUNPATH") ?? "").split(separator: ":").flatMap {
    ["-Xlinker", "-rpath", "-Xlinker", String($0)]
}

/// What all Swift targets are compiled with, added to each at this file's end.
let sharedSettings: [SwiftSetting] = [
    // An existential is named as one.
    .enableUpcomingFeature("ExistentialAny")
]

let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")

// The commit, for `gecko --version`: a build outside of a repository has none. jobs/setup.sh says it, because SwiftPM
// keeps what it once read from here, and after the next commit an unchanged manifest would name the one before.
let commit =
    environment("GECKO_COMMIT") ?? Context.gitInformation.map {
        $0.currentCommit + ($0.hasUncommittedChanges ? "+" : "")
    }
    ?? ""

let package = Package(
    name: "gecko",
    products: [
        .executable(name: "gecko", targets: ["GeckoCommand"]),
        // What others may import: docs/library.md.
        .library(name: "Schedules", targets: ["Schedules"]), .library(name: "Simulation", targets: ["Simulation"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/LebJe/TOMLKit", from: "0.6.0"),
    ],
    targets: [
        // System libraries and header-only helpers.
        .systemLibrary(
            name: "CMPI", pkgConfig: mpiPackage, providers: [.apt(mpiPackages[mpi].map { [$0.debian] } ?? [])]),
        .systemLibrary(name: "CHwloc", pkgConfig: "hwloc", providers: [.apt(["libhwloc-dev"])]),
        // Its header only: the library is opened by who asks for it, so pkg-config, which would link it, isn't asked.
        .systemLibrary(name: "COpenBLAS", providers: [.apt(["libopenblas-dev"])]),
        .systemLibrary(name: "CSIMD"),
        .systemLibrary(name: "CCPU"),
        .systemLibrary(name: "CFiles"),

        .target(name: "CSignals"),
        .target(name: "CVersion", cSettings: [.define("GECKO_COMMIT", to: "\"\(commit)\"")]),

        // A value behind a lock.
        .target(name: "Locks"),

        // Files and output, whatever they hold.
        .target(name: "Files", dependencies: ["Locks", .product(name: "Crypto", package: "swift-crypto"), logging]),

        // Text that other programs read, too.
        .target(name: "JSON"),

        // Numbers as people read them.
        .target(name: "Figures"),

        // The machine.
        .target(name: "Hardware", dependencies: ["CHwloc", "CCPU", "Figures", "Locks"]),
        .target(
            name: "MPI", dependencies: ["CMPI", "Hardware"],
            linkerSettings: mpiRunPaths.isEmpty ? [] : [.unsafeFlags(mpiRunPaths)]),

        // Arithmetic. Who uses the kernels names their interface, too, although it comes with them: a build after a
        // change of the table compiles again only what depends on it by name, and a caller with the old table would
        // crash.
        .target(name: "KernelInterface"),
        .target(
            name: "KernelsBaseline", dependencies: ["CSIMD", "KernelInterface"],
            swiftSettings: cpuLevel(define: "BASELINE")),
        .target(
            name: "KernelsV3", dependencies: ["CSIMD", "KernelInterface"], swiftSettings: cpuLevel("-march=x86-64-v3")),
        .target(
            name: "KernelsV4", dependencies: ["CSIMD", "KernelInterface"],
            swiftSettings: cpuLevel("-march=x86-64-v4", "-mprefer-vector-width=512")),
        .target(
            name: "KernelsV4BF16", dependencies: ["CSIMD", "KernelInterface"],
            swiftSettings: cpuLevel(
                "-march=x86-64-v4", "-mavx512bf16", "-mprefer-vector-width=512", define: "BFLOAT16")),
        .target(
            name: "Kernels",
            dependencies: [
                "CCPU", "KernelInterface", "KernelsBaseline", "KernelsV3", "KernelsV4", "KernelsV4BF16",
            ]),
        .target(name: "Numerics", dependencies: ["CCPU", "COpenBLAS", "Kernels", "KernelInterface", "Hardware"]),
        .target(name: "Model", dependencies: ["Numerics", "Kernels", "KernelInterface", "Hardware"]),

        // Schedules and their simulation: pure.
        .target(name: "Schedules"),
        .target(name: "Simulation", dependencies: ["Schedules", "Figures", "JSON"]),

        // Execution.
        .target(
            name: "Pipeline",
            dependencies: [
                "CFiles", "Figures", "Locks", "Schedules", "Model", "Numerics", "Kernels", "KernelInterface",
                "Hardware", "MPI",
            ]),

        // Files.
        .target(name: "Checkpoints", dependencies: ["Files", "JSON"]),
        .target(name: "Corpora", dependencies: ["Figures", "Files", "Locks", "Numerics"]),
        .target(
            name: "Training",
            dependencies: [
                "Pipeline", "Simulation", "Schedules", "Model", "Numerics", "Kernels", "KernelInterface", "Hardware",
                "MPI",
                "Corpora", "Checkpoints", "Figures", "Files", "JSON", "Locks", "CSignals", "TOMLKit", logging,
            ]),

        .target(
            name: "Verification",
            dependencies: [
                "Model", "Checkpoints", "Files", "JSON", "Numerics", "Hardware", "Kernels", "KernelInterface",
            ]),

        // Clusters.
        .target(
            name: "Preflight",
            dependencies: [
                "Pipeline", "Verification", "Checkpoints", "Figures", "Simulation", "Model", "Numerics", "Kernels",
                "KernelInterface", "Hardware", "MPI",
            ]),
        // The functions of its job scripts are those of jobs/.
        .target(
            name: "Batch", dependencies: ["Training", "Simulation", "Checkpoints", "MPI", "Figures", "Files"],
            resources: [.embedInCode("Script/tell.sh"), .embedInCode("Script/turn.sh")]),

        .executableTarget(
            name: "GeckoCommand",
            dependencies: [
                "CVersion", "Training", "Model", "Verification", "Checkpoints", "Preflight", "Batch", "Schedules",
                "Simulation", "Figures", "Files", "JSON", "Locks", "Numerics", "Kernels", "KernelInterface", "Hardware",
                argumentParser,
            ]),

        // The slow cables of the virtual cluster (cluster/dev).
        .executableTarget(name: "cluster-switch", path: "cluster/switch"),

        // What tests start under mpirun, and how.
        .executableTarget(
            name: "mpi-probe", dependencies: ["Pipeline", "MPI", "Hardware"], path: "Sources/Probes/MPIProbe"),
        .executableTarget(
            name: "kernel-probe", dependencies: ["Model", "Numerics", "Kernels", "KernelInterface", "Hardware"],
            path: "Sources/Probes/KernelProbe"),
        .executableTarget(
            name: "allocation-probe", dependencies: ["Training", "Pipeline", "Model", "MPI", "Numerics", "Hardware"],
            path: "Sources/Probes/AllocationProbe",
            // Its malloc must be seen by the libraries.
            linkerSettings: [.unsafeFlags(["-Xlinker", "--export-dynamic"])]),
        .target(
            name: "TestSupport", dependencies: ["Locks", "Numerics", "Hardware", "MPI"], path: "Tests/TestSupport"),

        .testTarget(name: "HardwareTests", dependencies: ["Hardware", "Locks"]),
        .testTarget(
            name: "MPITests", dependencies: ["MPI", "Pipeline", "Hardware", "Locks", "TestSupport", "mpi-probe"]),
        .testTarget(
            name: "KernelTests",
            dependencies: ["Kernels", "KernelInterface", "Numerics", "Hardware", "TestSupport", "kernel-probe"],
            exclude: ["InstructionCounts.txt"]),
        .testTarget(
            name: "ModelTests",
            dependencies: [
                "Model", "Verification", "Numerics", "Kernels", "KernelInterface", "Hardware", "TestSupport",
            ],
            exclude: ["Fixtures"]),
        .testTarget(
            name: "ArchitectureTests",
            dependencies: [
                "Training", "Pipeline", "Model", "Simulation", "Schedules", "Checkpoints", "Files", "Numerics",
                "Hardware",
            ]),
        .testTarget(
            name: "VerificationTests",
            dependencies: [
                "Verification", "Model", "Checkpoints", "Files", "Numerics", "Kernels", "KernelInterface", "Hardware",
                "TestSupport",
            ]),
        .testTarget(name: "LibraryTests", dependencies: ["Schedules", "Simulation"]),
        .testTarget(name: "ScheduleTests", dependencies: ["Schedules", "Simulation", "Figures"]),
        .testTarget(
            name: "PipelineTests",
            dependencies: [
                "Pipeline", "Training", "Model", "Numerics", "Hardware", "TestSupport", "allocation-probe",
            ]),
        .testTarget(
            name: "CommandTests",
            dependencies: [
                "TestSupport", "Checkpoints", "Corpora", "Training", "Files", "GeckoCommand", "Schedules", "Numerics",
                "Hardware", "MPI",
            ]),
        .testTarget(name: "FiguresTests", dependencies: ["Figures"]),
        .testTarget(name: "FilesTests", dependencies: ["Files", "TestSupport"]),
        .testTarget(name: "CheckpointTests", dependencies: ["Checkpoints", "Files", "JSON"], exclude: ["Corpus"]),
        .testTarget(name: "PreflightTests", dependencies: ["Preflight", "MPI", "TestSupport"]),
        .testTarget(name: "BatchTests", dependencies: ["Batch", "Training", "Simulation", "MPI", "TestSupport"]),
        .testTarget(
            name: "TrainingTests",
            dependencies: [
                "Training", "Pipeline", "Model", "Simulation", "Corpora", "Checkpoints", "Files", "JSON", "Numerics",
                "Hardware", "MPI", "TestSupport",
            ]),
    ],
    swiftLanguageModes: [.v6]
)

for target in package.targets where target.type != .system {
    target.swiftSettings = (target.swiftSettings ?? []) + sharedSettings
}
