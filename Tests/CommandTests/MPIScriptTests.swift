import Foundation
import MPI
import TestSupport
import Testing

/// What the scripts know of MPI: jobs/mpi.sh, and jobs/mpicc.sh for a site's own.
@Suite struct MPIScriptTests {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path

    /// What a line of bash prints after `source jobs/mpi.sh`; it begins in `folder`.
    private func bash(
        _ line: String, _ environment: [String: String] = [:], in folder: String = Self.root
    ) throws -> (passed: Bool, output: String) {
        let none = ["GECKO", "GECKO_MPI", "GECKO_MPICC", "GECKO_MPI_PKGCONFIG", "GECKO_MPIEXEC", "GECKO_SRUN_MPI"]
        let clean = Dictionary(uniqueKeysWithValues: none.map { ($0, "") }).merging(environment) { $1 }
        let text = "set -euo pipefail; cd '\(folder)'; source '\(Self.root)/jobs/mpi.sh'; \(line)"
        let result = try runProgram("/bin/bash", ["-c", text], environment: clean)
        return (result.passed, result.output.trimmingCharacters(in: .newlines))
    }

    @Test(arguments: [
        ([:], ".build .build/release/gecko"), (["GECKO_MPI": "openmpi"], ".build .build/release/gecko"),
        (["GECKO_MPI": "mpich"], ".build-mpich .build-mpich/release/gecko"),
        (["GECKO_MPICC": "mpicc"], ".build-site .build-site/release/gecko"),
        (["GECKO_MPI": "cray", "GECKO_MPI_PKGCONFIG": "mpich"], ".build-cray .build-cray/release/gecko"),
        (["GECKO_MPI": "mpich", "GECKO": "/opt/gecko"], ".build-mpich /opt/gecko"),
    ])
    func everyMPIHasABuildOfItsOwn(environment: [String: String], folders: String) throws {
        #expect(try bash("echo $build $gecko", environment).output == folders)
    }

    @Test func aNameThatIsNoFoldersIsRefused() throws {
        let result = try bash("echo on", ["GECKO_MPI": "../x"])
        #expect(
            !result.passed && result.output.contains("GECKO_MPI='../x': expected openmpi, mpich"), "\(result.output)")
    }

    @Test func theProgramTellsWhichLauncherItNeeds() throws {
        let gecko = Mpirun.programs.appendingPathComponent("gecko").path
        let library = MPILibrary.current
        // Whatever the variable says: it names a build, not this program's library.
        let other = ["GECKO_MPI": library.other.name]
        #expect(try bash("mpi_of '\(gecko)'", other).output == library.name)
        #expect(try bash("mpi_slurm '\(gecko)'", other).output == library.slurmPlugin)
        #expect(try bash("mpi_slurm '\(gecko)'", ["GECKO_SRUN_MPI": "cray_shasta"]).output == "cray_shasta")
        let launched = try bash("mpi_launcher '\(gecko)' 2; \"${launcher[@]}\" '\(gecko)' topology")
        #expect(launched.passed && launched.output.contains("stage 1"), "\(launched.output)")
        let missing = try bash("mpi_launcher '\(gecko)'", ["GECKO_MPIEXEC": "no-such-launcher"])
        #expect(!missing.passed && missing.output.contains("(no-such-launcher) is not on PATH"), "\(missing.output)")
    }

    /// MPICH's launcher gives a rank's signal as it is; others add 128 to it.
    @Test func aRanksSignalIsKnownFromEveryLauncher() throws {
        let space = try Workspace()
        for (name, answer) in [("mpiexec", "HYDRA build details"), ("mpirun", "mpirun (Open MPI) 4.1.4")] {
            try space.write(name, "#!/bin/sh\necho '\(answer)'\n")
            chmod("\(space.path)/\(name)", 0o755)
        }
        for (status, command, expected) in [
            (9, "mpiexec", 137), (75, "mpiexec", 75), (1, "mpiexec", 1), (0, "mpiexec", 0), (9, "mpirun", 9),
        ] {
            let found = try bash("mpi_status \(status) '\(space.path)/\(command)' -n 2 gecko").output
            #expect(found == "\(expected)", "\(status) of \(command)")
        }
        #expect(try bash("mpi_status 9 bash -c true").output == "9")
    }

    @Test func aHostfileIsReadByBothLaunchers() throws {
        let space = try Workspace()
        try space.write("mpiexec", "#!/bin/sh\necho 'HYDRA build details'\n")
        chmod("\(space.path)/mpiexec", 0o755)
        try space.write("hosts", "node1 slots=2   # the first\n\n# not this one slots=8\nnode2\n")
        let command = "launcher=('\(space.path)/mpiexec'); mpi_hosts hosts '\(space.path)'; echo ${launcher[*]:1}"
        #expect(
            try bash(command, in: space.path).output
                == "-f \(space.path)/hosts.hydra -wdir \(space.path) -n 3")
        let hosts = try String(contentsOfFile: space.path + "/hosts.hydra", encoding: .utf8)
        #expect(hosts == "node1:2\nnode2\n")
    }

    /// What wrappers of Intel MPI, Open MPI and MPICH print, in one.
    @Test func whatASitesWrapperAddsBecomesAPackage() throws {
        let space = try Workspace()
        try FileManager.default.createDirectory(
            atPath: space.path + "/in clude", withIntermediateDirectories: true)
        try space.write("in clude/mpi.h", "")
        try space.write(
            "mpicc",
            """
            #!/bin/sh
            echo 'gcc -I"\(space.path)/in clude" -I /opt/x/include -L"/opt/a" -L/usr/lib/x86_64-linux-gnu -Xlinker \
            --enable-new-dtags' \\
                '-Xlinker -rpath -Xlinker "/opt/b" -Wl,-rpath -Wl,/opt/c -Wl,-rpath,/opt/d -Wl,-z,relro -lmpi \
                /opt/e/libx.so -pthread'

            """)
        chmod(space.path + "/mpicc", 0o755)
        let read = "source '\(Self.root)/jobs/mpicc.sh'; read_mpicc"
        let result = try bash(
            "\(read); echo $GECKO_MPI_PKGCONFIG $GECKO_MPI_RUNPATH; echo $PKG_CONFIG_PATH",
            ["GECKO_MPICC": space.path + "/mpicc", "PKG_CONFIG_PATH": "/before"], in: space.path)
        #expect(
            result.output == "gecko-mpi /opt/a:/opt/b:/opt/c:/opt/d:/opt/e\n\(space.path)/.build-site/mpi:/before",
            "\(result.output)")
        let package = try String(contentsOfFile: space.path + "/.build-site/mpi/gecko-mpi.pc", encoding: .utf8)
        #expect(package.contains("\nCflags: -I\(space.path)/in\\ clude -I/opt/x/include\n"), "\(package)")
        #expect(
            package.contains("\nLibs: -L/opt/a -L/usr/lib/x86_64-linux-gnu -lmpi -L/opt/e -l:libx.so\n"), "\(package)")
        let wrong = try bash(read, ["GECKO_MPICC": "/bin/false"], in: space.path)
        #expect(!wrong.passed && wrong.output.contains("'/bin/false -show' says nothing"), "\(wrong.output)")
        try FileManager.default.removeItem(atPath: space.path + "/in clude/mpi.h")
        if !FileManager.default.fileExists(atPath: "/usr/include/mpi.h") {
            let bare = try bash(read, ["GECKO_MPICC": space.path + "/mpicc"], in: space.path)
            #expect(!bare.passed && bare.output.contains("no folder that holds mpi.h"), "\(bare.output)")
        }
    }
}
