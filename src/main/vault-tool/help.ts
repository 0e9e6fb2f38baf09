export const HELP = `holdfast-vault: reads a vault with nothing but its storage and the folder of key files

  holdfast-vault list          VAULT
  holdfast-vault verify        VAULT [--level 0|1|2] [--point ID] [--state FILE] [--scrub DAYS] [--condemn]
  holdfast-vault restore       VAULT --point ID [--disk KEY] --to FILE|DEVICE
                               [--format raw|vhd|qcow2] [--force] [--salvage] [--resume FILE]
  holdfast-vault copy          VAULT --to VAULT2 [--to-keys DIR] [--to-tenant ID] [--point ID]
                               [--retain-until DAY] [--to-retention governance|compliance]
  holdfast-vault config        VAULT --point ID
  holdfast-vault stats         VAULT
  holdfast-vault catalog       VAULT
  holdfast-vault condemned     VAULT
  holdfast-vault sessions      VAULT
  holdfast-vault repair        VAULT
  holdfast-vault rebuild-index VAULT
  holdfast-vault forget-lost   VAULT --point ID [--force]
  holdfast-vault --version

VAULT is where it lies and what opens it:
  --vault DIR    the vault's own folder: the one with a file repo.0 in it; or s3://BUCKET/PREFIX
  --keys DIR     the folder of key files, as Holdfast keeps it (HOLDFAST_KEYS), or the tenant's folder in it:
                 then only that tenant's keys are used
  --repository ID  the vault's id, as stats shows it: a vault with another one is refused
  --endpoint URL of an object store that isn't Amazon's; --region NAME if it wants a certain one
                 credentials: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or the profile that AWS_PROFILE names

  --level N      0 objects are there and as long as they should be (the default); 1 also the hash of every
                 pack; 2 instead everything is opened, unpacked and compared with its digest
  --state FILE   remembers which packs were read: a verification that was interrupted goes on from there
  --scrub DAYS   reads what is due so that a daily run reads every pack once in so many days (level 1)
  --condemn      takes damaged packs out of deduplication, for good: the next backup stores their content again
  --point ID     a restore point, as list shows it; its beginning is enough where no other begins so
  --disk KEY     a disk, as list shows it; may be left out where the restore point has only one
  --to           a file to make, or a block device to overwrite (raw only); of copy the other vault, as --vault,
                 with --to-keys DIR, --to-endpoint URL and --to-region NAME where they are others, and
                 --to-repository ID as --repository
  --to-tenant ID whose vault the other one is, if it is not the same tenant's; anybody else's is refused
  --retain-until DAY  nobody can delete the copies before (YYYY-MM-DD, from its beginning in UTC); a bucket with
                 object lock locks all that they need until then, if --to-retention says in which mode
  --format       raw (the default), vhd (dynamic) or qcow2
  --force        replaces a file that is there, or overwrites a device; of forget-lost: it is meant
  --salvage      restores what is whole of a damaged disk; what is lost reads as zeros, and is listed
  --resume FILE  remembers how far a raw restore came: the same command line again goes on from there

copy brings a restore point, or all that are not there yet, to another vault, which stores only what it lacks;
told again it goes on from where it was interrupted. config prints the VM's configuration as the restore point has
it; catalog everything the vault says of itself, as JSON; condemned the packs that nothing new refers to; sessions
who reads or writes. repair makes the index and whatever else follows from the rest anew where it is damaged, and
says what is lost; rebuild-index does the same, and lists every pack in the index anew. forget-lost gives up a restore
point whose own object is lost, by its whole id, so that collection waits for it no longer; one that is held or
retained stays.

Exit codes: 0 done; 1 it could not be done; 2 the command line is wrong; 3 damage was found; 130 interrupted.
docs/vault-tool.md leads through an emergency.
`;
