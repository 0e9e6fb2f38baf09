-- A catalogue that is rebuilt from its vault loses the restore points that the vault no longer has.
grant delete on app.restore_point to holdfast_worker;
select app.add_policy('app.restore_point', 'restore_point_delete_worker', 'delete', 'holdfast_worker',
  'tenant_id = (select app.write_tenant())', false);
