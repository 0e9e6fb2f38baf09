export const HELP = `holdfast-vault: reads a vault with nothing but its folder and the folder of key files

  holdfast-vault list    --vault DIR --keys DIR
  holdfast-vault verify  --vault DIR --keys DIR [--level 0|1|2] [--point ID] [--state FILE]
  holdfast-vault restore --vault DIR --keys DIR --point ID [--disk KEY] --to FILE|DEVICE
                         [--format raw|vhd|qcow2] [--force] [--salvage]
  holdfast-vault config  --vault DIR --keys DIR --point ID
  holdfast-vault stats   --vault DIR --keys DIR

  --vault DIR    the vault's own folder: the one with a file repo.0 in it
  --keys DIR     the folder of key files, as Holdfast keeps it (HOLDFAST_KEYS), or the tenant's folder in it
  --level N      0 objects are there and as long as they should be (the default); 1 also the hash of every
                 pack; 2 instead everything is opened, unpacked and compared with its digest
  --point ID     a restore point, as list shows it; its beginning is enough where no other begins so
  --disk KEY     a disk, as list shows it; may be left out where the restore point has only one
  --state FILE   remembers which packs were read: a verification that was interrupted goes on from there
  --to           a file to make, or a block device to overwrite (raw only)
  --format       raw (the default), vhd (dynamic) or qcow2
  --force        replaces a file that is there, or overwrites a device
  --salvage      restores what is whole of a damaged disk; what is lost reads as zeros, and is listed

Exit codes: 0 done; 1 it could not be done; 2 the command line is wrong; 3 damage was found; 130 interrupted.
config prints the VM's configuration as the restore point has it.
docs/vault-tool.md leads through an emergency.
`;
